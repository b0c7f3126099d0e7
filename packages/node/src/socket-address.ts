/** Where a node listens or is reached. */
export type SocketAddress = { readonly host: string; readonly port: number }
