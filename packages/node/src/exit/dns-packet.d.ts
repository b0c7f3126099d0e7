/** The part of dns-packet 5.6 that `dns-message.ts` uses; the package ships no types. Decoding throws on malformed input. */
declare module 'dns-packet' {
  export type Question = { readonly name: string; readonly type: string; readonly class: string }

  export type Answer = {
    readonly name: string
    readonly type: string
    readonly class?: string
    readonly ttl?: number
    /** Text for A, AAAA and CNAME; other shapes for other types. */
    readonly data?: unknown
  }

  export type Packet = {
    readonly id: number
    readonly type: 'query' | 'response'
    readonly opcode: string
    readonly rcode: string
    readonly flag_tc: boolean
    readonly questions: readonly Question[]
    readonly answers: readonly Answer[]
  }

  export type QueryPacket = {
    readonly type: 'query'
    readonly id: number
    readonly flags: number
    readonly questions: readonly { readonly name: string; readonly type: string }[]
    readonly additionals: readonly {
      readonly type: 'OPT'
      readonly name: '.'
      readonly udpPayloadSize: number
      readonly flags: number
    }[]
  }

  export const RECURSION_DESIRED: number
  export function encode(packet: QueryPacket): Buffer
  export function decode(bytes: Buffer): Packet
}
