pragma circom 2.2.0;

// The service proof (SPEC §17, DESIGN §7.3).
//
// In words: "The tree under this root holds this many units. Of them this beacon draws twelve; each lies in a leaf that stands for one slot, within what a slot
// can pay, and a client has signed for the units of that leaf."
//
//   public   provider, epoch   whose receipts, and of which week: a receipt for another provider or week does not count
//            root, total       what the provider committed to before the beacon was drawn
//            maxUnits          what one slot can pay for at most
//            beacon            drawn after the commitment's deadline: it chooses the samples
//            nullifiers        of the sampled slots, so that anybody can check their slot proofs: these twelve are shown
//            receiptKeys       hashes of the keys that signed: the slot proof's x binds the same hash
//   private  the keys, receipts and paths of the samples; all other leaves
//
// Guards against:
//   - one receipt in two leaves: leaves stand in a search tree, and two with one nullifier cannot both be shown
//   - sums that wrap round the field: every sum has 48 bits
//   - keys of small order, with which anybody signs: EdDSAPoseidonVerifier refuses them; points off the curve: BabyCheck
//   - two draws for one beacon: the draw's bits are the strict ones
//   - a leaf of no units: it has no unit that could be drawn
//
// What it cannot see: clients that sign for what was not carried.

include "../lib/service-audit.circom";

component main { public [provider, epoch, root, total, maxUnits, beacon, nullifiers] } = ServiceAudit(12, 17);
