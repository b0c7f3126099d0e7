/** Nobody can change what is deployed: no code that replaces, borrows or ends itself, and no function that only one account may call (DESIGN §7). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  bywayPoolArtifact,
  bywayRegistryArtifact,
  serviceAuditorArtifact,
  serviceProofsArtifact,
  slotProofAuthoriserArtifact,
} from '@byway/chain'
import { hexToBytes, type Hex } from 'viem'
import { startWorld } from './kit/world.ts'

const world = await startWorld()
after(() => world[Symbol.asyncDispose]())

const CALLCODE = 0xf2
const DELEGATECALL = 0xf4
const SELFDESTRUCT = 0xff
const PUSH1 = 0x60
const PUSH20 = 0x73
const PUSH32 = 0x7f

/** The opcodes of deployed code, and the addresses that it pushes. */
async function readCode(address: Hex): Promise<{ opcodes: number[]; pushed: Set<string> }> {
  const code = hexToBytes((await world.rpc.request('eth_getCode', address, 'latest')) as Hex)
  assert.ok(code.length > 100)
  const [opcodes, pushed] = [[] as number[], new Set<string>()]
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at] ?? 0
    opcodes.push(opcode)
    if (opcode === PUSH20) pushed.add(Buffer.from(code.subarray(at + 1, at + 21)).toString('hex'))
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1
  }
  return { opcodes, pushed }
}

test('no contract can end itself or run code of another, but for the libraries that it is linked to', async () => {
  const { pool, registry, proofs, token } = world
  for (const address of [pool, registry, proofs, token]) {
    const { opcodes, pushed } = await readCode(address)
    for (const opcode of [CALLCODE, SELFDESTRUCT])
      assert.ok(!opcodes.includes(opcode), `${opcode.toString(16)} in ${address}`)
    if (address !== pool) {
      assert.ok(!opcodes.includes(DELEGATECALL), `${address} borrows code`)
      continue
    }
    const linked = Object.keys(bywayPoolArtifact.links).map((name) =>
      (world.libraries[name] ?? assert.fail(name)).slice(2).toLowerCase(),
    )
    for (const library of linked) assert.ok(pushed.has(library), 'linked for good')
    const borrowed = opcodes.filter((opcode) => opcode === DELEGATECALL).length
    const places = Object.values(bywayPoolArtifact.links).flat().length
    assert.ok(borrowed > 0 && borrowed <= places, `${borrowed} of ${places} places`)
  }
})

test('the libraries call nobody and keep nothing', async () => {
  const [SLOAD, SSTORE] = [0x54, 0x55]
  const outside = [0xf0, 0xf1, CALLCODE, DELEGATECALL, 0xf5, 0xfa, SELFDESTRUCT, SLOAD, SSTORE]
  for (const address of Object.values(world.libraries)) {
    const { opcodes } = await readCode(address)
    assert.deepEqual(
      outside.filter((opcode) => opcodes.includes(opcode)),
      [],
    )
  }
})

test('nothing is there for an owner, an upgrade or a pause', () => {
  const abis = [
    bywayPoolArtifact.abi,
    bywayRegistryArtifact.abi,
    serviceProofsArtifact.abi,
    serviceAuditorArtifact.abi,
    slotProofAuthoriserArtifact.abi,
  ]
  const names = abis.flatMap((abi) =>
    abi.flatMap((item) => (item.type === 'function' ? [item.name] : [])),
  )
  assert.ok(names.length > 60)
  const suspects = /owner|admin|upgrad|implementation|initiali[sz]e|pause|proxy|role|govern/i
  assert.deepEqual(
    names.filter((name) => suspects.test(name) || /^set[A-Z]/.test(name)),
    [],
  )
})
