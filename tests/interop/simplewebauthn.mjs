// SimpleWebAuthn as the relying party of `softkey create` and `softkey get`: every algorithm that it supports is accepted,
// without a statement and with one of `packed`, and each wrong way is refused but for those that README.md tells. The
// other formats are in simplewebauthn_attestation.mjs.
// Usage: node simplewebauthn.mjs PATH-OF-SOFTKEY, with a Node.js that has ML-DSA: 24.7 or newer.

import assert from "node:assert";

import {
  authenticate, creation, refusal, register, request, respond, softkey, ways, withKey,
} from "./simplewebauthn_party.mjs";

const PIN = "1234";

function judge(ceremony, verdicts, known) {
  const accepted = [];
  for (const [way, words] of Object.entries(verdicts)) {
    console.log(`SimpleWebAuthn ${ceremony}: ${way}: ${words ?? "ACCEPTED"}`);
    if (words === null) accepted.push(way);
  }
  assert.deepEqual(accepted.sort(), known.sort());
}

async function rightOnes() {
  await withKey([], async (device) => {
    const environment = { ...device, SOFTKEY_PIN: PIN };
    softkey(["pin", "set"], "", environment);
    for (const algorithm of [-7, -8, -35, -36, -257, -48, -49, -50]) {
      for (const attestation of ["none", "direct"]) {
        const options = await creation([algorithm], attestation);
        const made = respond(["create"], options, environment);
        const { verified, registrationInfo } = await register(made, options, [algorithm]);
        assert.ok(verified);
        assert.equal(registrationInfo.fmt, attestation === "none" ? "none" : "packed");
        const asked = await request(registrationInfo.credential);
        const signed = respond(["get"], asked, environment);
        assert.ok((await authenticate(signed, asked, registrationInfo.credential)).verified);
        console.log(`SimpleWebAuthn accepts ${algorithm} with ${attestation}`);
      }
    }
  });
}

async function wrongOnes() {
  const verdicts = {};
  const algorithms = (way) => (way === "algorithm" ? [-8] : [-7]);
  for (const way of ways("create").slice(1)) {
    if (way === "registered") {
      // Somebody has it then.
      const first = await creation([-7], "direct");
      const made = respond(["create", "--wrong", way], first);
      assert.ok((await register(made, first, [-7])).verified);
    }
    const options = await creation(algorithms(way), "direct");
    const made = respond(["create", "--wrong", way], options);
    verdicts[way] = await refusal(register(made, options, algorithms(way)));
  }
  judge("registration", verdicts, KNOWN.registration);

  const options = await creation([-7], "direct");
  const made = respond(["create", "--wrong", "nothing"], options);
  const { verified, registrationInfo } = await register(made, options, [-7]);
  assert.ok(verified);
  const signIns = {};
  for (const way of ways("get")) {
    const asked = await request(registrationInfo.credential);
    const signed = respond(["get", "--wrong", way], asked);
    signIns[way] = await refusal(authenticate(signed, asked, registrationInfo.credential));
  }
  assert.equal(signIns.nothing, null);
  delete signIns.nothing;
  judge("sign-in", signIns, KNOWN.authentication);
}

/** The wrong ways that it accepts: see README.md. */
const KNOWN = {
  registration: ["cross-origin", "long-credential-id", "other-id", "registered", "top-origin"],
  authentication: ["backup-eligible", "cross-origin", "other-id", "user-handle"],
};

await rightOnes();
await wrongOnes();
console.log("test result: ok. 2 passed; 0 failed");
