// SimpleWebAuthn as the relying party of `softkey create` and `softkey get`: every algorithm and format that it supports
// is accepted, each wrong way is refused but for those that README.md tells.
// Usage: node simplewebauthn.mjs PATH-OF-SOFTKEY

import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";

import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";

const program = process.argv[2];
const ORIGIN = "https://login.example.org";
const RP_ID = "example.org";
const PIN = "1234";

function run(words, options, environment = {}) {
  return spawnSync(program, [...words, "--origin", ORIGIN], {
    input: JSON.stringify(options),
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
}

function softkey(words, options, environment) {
  const done = run(words, options, environment);
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout);
}

function ways(ceremony) {
  const options = {
    challenge: "",
    rp: { name: "" },
    user: { id: "AQ", name: "", displayName: "" },
    pubKeyCredParams: [],
  };
  const done = run([ceremony, "--json", "--wrong", "?"], options);
  assert.equal(done.status, 2, done.stderr);
  return JSON.parse(done.stderr).error.try.split(", ");
}

async function creation(algorithms, attestation) {
  return generateRegistrationOptions({
    rpID: RP_ID,
    rpName: "Example",
    userName: "ada",
    attestationType: attestation,
    supportedAlgorithmIDs: algorithms,
    authenticatorSelection: { userVerification: "required", residentKey: "discouraged" },
  });
}

const register = (response, options, algorithms) =>
  verifyRegistrationResponse({
    response,
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms,
  });

const request = (credential) =>
  generateAuthenticationOptions({
    rpID: RP_ID,
    allowCredentials: [{ id: credential.id }],
    userVerification: "required",
  });

const authenticate = (response, options, credential) =>
  verifyAuthenticationResponse({
    response,
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    requireUserVerification: true,
    credential,
  });

/** Was it refused? Throwing is refusing, and so is an answer of false. */
async function refused(promise) {
  try {
    return !(await promise).verified;
  } catch {
    return true;
  }
}

function judge(ceremony, verdicts, known) {
  const accepted = [];
  for (const [way, isRefused] of Object.entries(verdicts)) {
    console.log(`SimpleWebAuthn ${ceremony}: ${way}: ${isRefused ? "refused" : "ACCEPTED"}`);
    if (!isRefused) accepted.push(way);
  }
  assert.deepEqual(accepted.sort(), known.sort());
}

async function rightOnes() {
  const key = spawn(
    program,
    ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto",
      "--algorithms", "es256,eddsa,es384,es512,rs256", "--json"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  try {
    const line = await new Promise((resolve) => key.stdout.once("data", resolve));
    const device = JSON.parse(line.toString().split("\n")[0]).devices[0].replace("udp ", "udp:");
    const environment = { SOFTKEY_DEVICE: device, SOFTKEY_PIN: PIN };
    const set = spawnSync(program, ["pin", "set"], { env: { ...process.env, ...environment } });
    assert.equal(set.status, 0);
    for (const algorithm of [-7, -8, -35, -36, -257]) {
      for (const attestation of ["none", "direct"]) {
        const options = await creation([algorithm], attestation);
        const made = softkey(["create"], options, environment);
        const { verified, registrationInfo } = await register(made, options, [algorithm]);
        assert.ok(verified);
        assert.equal(registrationInfo.fmt, attestation === "none" ? "none" : "packed");
        const asked = await request(registrationInfo.credential);
        const signed = softkey(["get"], asked, environment);
        assert.ok((await authenticate(signed, asked, registrationInfo.credential)).verified);
        console.log(`SimpleWebAuthn accepts ${algorithm} with ${attestation}`);
      }
    }
  } finally {
    key.kill();
  }
}

async function wrongOnes() {
  const verdicts = {};
  const algorithms = (way) => (way === "algorithm" ? [-8] : [-7]);
  for (const way of ways("create").slice(1)) {
    if (way === "registered") {
      // Somebody has it then.
      const first = await creation([-7], "direct");
      const made = softkey(["create", "--wrong", way], first);
      assert.ok((await register(made, first, [-7])).verified);
    }
    const options = await creation(algorithms(way), "direct");
    const made = softkey(["create", "--wrong", way], options);
    verdicts[way] = await refused(register(made, options, algorithms(way)));
  }
  judge("registration", verdicts, KNOWN.registration);

  const options = await creation([-7], "direct");
  const made = softkey(["create", "--wrong", "nothing"], options);
  const { verified, registrationInfo } = await register(made, options, [-7]);
  assert.ok(verified);
  const signIns = {};
  for (const way of ways("get")) {
    const asked = await request(registrationInfo.credential);
    const signed = softkey(["get", "--wrong", way], asked);
    signIns[way] = await refused(authenticate(signed, asked, registrationInfo.credential));
  }
  assert.ok(!signIns.nothing);
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
