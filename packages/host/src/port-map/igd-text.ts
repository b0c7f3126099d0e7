/**
 * What is said to a router by UPnP (UPnP Device Architecture 1.1; Internet Gateway Device 1 and 2): the search, its answer, the description and the calls, as text. Pure.
 *
 * No XML is parsed: the few elements that count hold plain text and are looked for by name, whatever else stands around them, in a text of bounded size.
 * @module
 */

/** One service that can open ports. */
export type WanService = { readonly type: string; readonly controlPath: string }

/** What is searched for: a device of version 2 answers to a search for version 1 too. */
export const IGD_SEARCH = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'

/** The services that open ports, the best first: 2 gives another port where the wanted one is taken. */
export const WAN_SERVICES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const

/** The port is open for another host, or to another port of this one. */
export const ERROR_CONFLICT = 718

/** The search, to be sent to 239.255.255.250, port 1900. */
export function searchText(): string {
  return [
    'M-SEARCH * HTTP/1.1',
    'HOST: 239.255.255.250:1900',
    'MAN: "ssdp:discover"',
    'MX: 1',
    `ST: ${IGD_SEARCH}`,
    '',
    '',
  ].join('\r\n')
}

/** Where the description is, from an answer of the host at `sender`; nothing where it names another host, which anybody could be. */
export function locationOf(answer: string, sender: string): URL | undefined {
  if (!/^HTTP\/1\.[01] 200/i.test(answer)) return undefined
  const text = /^location:[ \t]*(\S+)[ \t]*$/im.exec(answer)?.[1]
  if (text === undefined || !URL.canParse(text)) return undefined
  const location = new URL(text)
  return location.protocol === 'http:' && location.hostname === sender ? location : undefined
}

/** The services of a description that open ports, the best first. */
export function wanServicesOf(description: string, location: URL): readonly WanService[] {
  const blocks = description.split(/<(?:\w+:)?service>/i).slice(1)
  const services = blocks.flatMap((block): readonly WanService[] => {
    const type = elementOf(block, 'serviceType')
    const control = elementOf(block, 'controlURL')
    if (type === undefined || control === undefined || !URL.canParse(control, location.href))
      return []
    const { host, pathname, search } = new URL(control, location)
    return host === location.host ? [{ type, controlPath: pathname + search }] : []
  })
  return WAN_SERVICES.flatMap((wanted) => services.filter(({ type }) => type === wanted))
}

/** A call as it is posted. */
export function callText(
  type: string,
  action: string,
  fields: Readonly<Record<string, string | number>>,
): string {
  const inside = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`)
  return `<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${type}">${inside.join('')}</u:${action}></s:Body></s:Envelope>`
}

/** The text of the first element of this name; nothing where there is none, or where it holds elements. */
export function elementOf(xml: string, name: string): string | undefined {
  const found = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^<>]*)?>([^<>]*)</`, 'i').exec(xml)?.[1]
  return found?.trim().replaceAll('&amp;', '&')
}
