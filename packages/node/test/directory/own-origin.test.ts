import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createOwnOriginWatch, type OwnOrigin } from '../../src/directory/own-origin.ts'

const NETWORK = {
  asnTable: [
    { prefix: '1.0.0.0/8', asn: 10, country: 'DE' },
    { prefix: '2.0.0.0/8', asn: 20, country: 'FR' },
  ],
}

suite("a node's own claim, held against what it knows of its address", () => {
  test('is told when it differs, and once for each change', () => {
    const told: OwnOrigin[] = []
    const watch = createOwnOriginWatch({
      network: NETWORK,
      country: 'DE',
      asn: 10,
      onOrigin: (status) => told.push(status),
    })
    assert.equal(watch.status, undefined)
    for (const host of ['1.1.1.1', '1.1.1.1', '1.9.9.9', '2.1.1.1', '2.1.1.1'])
      watch.look(host, ['9.9.9.9'])
    assert.deepEqual(
      told.map(({ known, isOtherAs }) => [known.country, known.isMisplaced, isOtherAs]),
      [
        ['DE', false, false],
        ['FR', true, true],
      ],
    )
  })

  test('cannot be held against an address that nobody knows, or against none', () => {
    for (const seen of [[], ['3.3.3.3'], ['localhost']]) {
      const watch = createOwnOriginWatch({ network: NETWORK, country: 'DE', asn: 10 })
      watch.look(undefined, seen)
      const { known, isOtherAs } = watch.status ?? {}
      assert.deepEqual([known?.countryBy, known?.isMisplaced, isOtherAs], ['claim', false, false])
    }
  })

  test('of a node without a public address is held against that under which neighbours see it', () => {
    const watch = createOwnOriginWatch({ network: NETWORK, country: 'DE' })
    watch.look(undefined, ['2.1.1.1'])
    assert.deepEqual([watch.status?.known.isMisplaced, watch.status?.known.country], [true, 'FR'])
  })

  test('that says nothing is contradicted by nothing', () => {
    const watch = createOwnOriginWatch({ network: NETWORK })
    watch.look('2.1.1.1', [])
    const { known, isOtherAs } = watch.status ?? {}
    assert.deepEqual([known?.country, known?.isMisplaced, isOtherAs], ['FR', false, false])
  })
})
