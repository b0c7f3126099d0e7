pragma circom 2.2.0;

include "../../lib/service-audit.circom";

// Two samples and eight leaves: the same templates, compiled in seconds.
component main { public [provider, epoch, root, total, maxUnits, beacon, nullifiers] } = ServiceAudit(2, 3);
