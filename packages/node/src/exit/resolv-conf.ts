/**
 * Reads the system's name servers from the text of `resolv.conf(5)`. Only `nameserver` lines: search lists and options are
 * left alone on purpose, and link-local servers with a zone id are passed over.
 */
import { formatAddress, parseAddress } from '@byway/protocol/policy'
import type { DnsServer } from './dns-transport.ts'

/** The servers in the file's order, each on port 53; empty when none is named. */
export function readResolvConf(text: string): readonly DnsServer[] {
  return text.split('\n').flatMap((line) => {
    const [keyword, value = ''] = line.trim().split(/\s+/)
    const address = keyword === 'nameserver' ? parseAddress(value) : undefined
    return address === undefined ? [] : [{ address: formatAddress(address), port: DNS_PORT }]
  })
}

const DNS_PORT = 53
