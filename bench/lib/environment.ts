/** Reads what a reader must know of the machine and the programs to judge a number. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

import { findVersion } from './programs.ts'
import type { Environment } from './results.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Describes this machine now. Peers that are not installed are left out. */
export function readEnvironment(): Environment {
  const peers = Object.entries({
    tor: findVersion('tor', ['--version']),
    nginx: findVersion('nginx', ['-v']),
    'shadowsocks-libev': findVersion('ss-server', ['-h']),
    openssl: findVersion('openssl', ['version']),
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return {
    date: new Date().toISOString(),
    commit: git(['rev-parse', '--short=12', 'HEAD']) || 'unknown',
    isDirty:
      git(['status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/RESULTS.md']) !==
      '',
    node: process.versions.node,
    peers: Object.fromEntries(peers),
    cpuModel: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    tcpCongestionControl: readFileSync(
      '/proc/sys/net/ipv4/tcp_congestion_control',
      'latin1',
    ).trim(),
    loadAverageAtStart: loadavg()[0] ?? 0,
  }
}

function git(args: readonly string[]): string {
  return spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout.trim()
}
