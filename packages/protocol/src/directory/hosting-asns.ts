/**
 * Autonomous systems whose customers rent machines, for the hint of `line-hint.ts`. Only systems of companies that sell servers or clouds and no lines to
 * homes; one that does both is left out, since the hint would be wrong for its homes. An AS that is not here says nothing.
 * docs/PLACE.md says how to have a row put right.
 * @module
 */

/** Gives the short name of a known hosting network, or nothing. */
export function hostingNameOf(asn: number): string | undefined {
  return NAME_BY_ASN.get(asn)
}

const ASNS_BY_NAME: Readonly<Record<string, readonly number[]>> = {
  'Alibaba Cloud': [45_102, 134_963],
  Amazon: [14_618, 16_509],
  Clouvider: [62_240],
  ColoCrossing: [36_352],
  Contabo: [51_167, 141_995],
  Datacamp: [60_068, 212_238],
  DigitalOcean: [14_061, 62_567],
  FranTech: [53_667],
  'Google Cloud': [15_169, 396_982],
  Hetzner: [24_940, 212_317, 213_230, 215_859],
  Hivelocity: [29_802],
  Hostinger: [47_583],
  Hostwinds: [54_290],
  'IONOS servers': [8560, 51_862],
  Leaseweb: [28_753, 30_633, 59_253, 60_781, 133_752, 394_380],
  Linode: [63_949],
  M247: [9009],
  Microsoft: [8075],
  netcup: [197_540],
  'Oracle Cloud': [31_898],
  OVH: [16_276],
  PlusServer: [8972, 61_157],
  Psychz: [40_676],
  QuadraNet: [8100],
  Rackspace: [10_532, 12_200, 15_395, 19_994, 27_357, 33_070, 58_683],
  Scaleway: [12_876],
  Selectel: [49_505],
  Softlayer: [36_351],
  Strato: [6724],
  'Tencent Cloud': [45_090, 132_203],
  UpCloud: [202_053],
  Vultr: [20_473],
  Worldstream: [49_981],
}

const NAME_BY_ASN: ReadonlyMap<number, string> = new Map(
  Object.entries(ASNS_BY_NAME).flatMap(([name, asns]) => asns.map((asn) => [asn, name] as const)),
)
