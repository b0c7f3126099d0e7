/** Reads an answer's body with a limit: an endpoint that sends without end costs a connection, not the memory. */

/** The body as text, or undefined when it is longer than `maxBytes`. Rejects with what the connection rejects with. */
export async function readBody(response: Response, maxBytes: number): Promise<string | undefined> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    // Leaving the loop cancels the stream, which closes the connection.
    if (length > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
