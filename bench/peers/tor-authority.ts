/** Makes the keys of the private network's directory authority with Tor's own tools. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { authorityConfig, authorityLine, commonConfig, type TorFlavour } from './tor-config.ts'

/** The authority's own configuration, and the line by which the others know it. */
export type Authority = { readonly config: string; readonly line: string }

/** Ports the authority listens on. */
export type AuthorityPorts = { readonly orPort: number; readonly dirPort: number }

/** Key generation takes two seconds; a busy machine may need more. */
const TOOL_TIMEOUT_MS = 60_000
/** Tor wants some authority named before it tells its own fingerprint. */
const NO_IDENTITY = '0'.repeat(40)

/** Makes an authority below `directory`. @throws Error when one of Tor's tools fails. */
export function makeAuthority(
  directory: string,
  flavour: TorFlavour,
  ports: AuthorityPorts,
): Authority {
  const keys = join(directory, 'keys')
  mkdirSync(keys, { recursive: true, mode: 0o700 })
  const gencert = [
    '--create-identity-key',
    '--passphrase-fd',
    '0',
    '-m',
    '12',
    '-a',
    `127.0.0.1:${ports.dirPort}`,
  ]
  runTool('tor-gencert', gencert, keys)
  const certificate = readFileSync(join(keys, 'authority_certificate'), 'latin1')
  const identity = find(certificate, /^fingerprint ([0-9A-F]{40})$/m)

  const config = authorityConfig(flavour, ports)
  const torrc = join(directory, 'torrc.keys')
  const self = authorityLine({ ...ports, identity, fingerprint: NO_IDENTITY })
  writeFileSync(torrc, commonConfig(directory, flavour) + config + self)
  const listed = runTool(
    'tor',
    ['--quiet', '--defaults-torrc', '/dev/null', '-f', torrc, '--list-fingerprint'],
    directory,
  )
  const fingerprint = find(listed.replaceAll(' ', ''), /([0-9A-F]{40})/)
  return { config, line: authorityLine({ ...ports, identity, fingerprint }) }
}

function runTool(command: string, args: readonly string[], cwd: string): string {
  const run = spawnSync(command, args, {
    cwd,
    input: '\n',
    encoding: 'utf8',
    timeout: TOOL_TIMEOUT_MS,
  })
  if (run.status !== 0) throw new Error(`${command} failed: ${run.stderr || run.stdout}`)
  return run.stdout
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`nothing like ${String(pattern)} in what tor wrote`)
  return found
}
