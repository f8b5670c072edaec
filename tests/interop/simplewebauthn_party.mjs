// What the scripts with SimpleWebAuthn share: the program as its user calls it, a key over UDP, and that library as the
// relying party.

import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";

const program = process.argv[2];
const ORIGIN = "https://login.example.org";
const RP_ID = "example.org";

/** The program with these words, and this as its input. */
export function run(words, input, environment = {}) {
  return spawnSync(program, words, {
    input,
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
}

/** What the program writes for these words. */
export function softkey(words, input, environment) {
  const done = run(words, input, environment);
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

/** The response of `softkey create` or `get`, by the key of that environment or else by a vault's. */
export const respond = (words, options, environment) =>
  JSON.parse(softkey([...words, "--origin", ORIGIN], JSON.stringify(options), environment));

/** The wrong ways of a ceremony. */
export function ways(ceremony) {
  const options = {
    challenge: "",
    rp: { name: "" },
    user: { id: "AQ", name: "", displayName: "" },
    pubKeyCredParams: [],
  };
  const words = [ceremony, "--json", "--wrong", "?", "--origin", ORIGIN];
  const done = run(words, JSON.stringify(options));
  assert.equal(done.status, 2, done.stderr);
  return JSON.parse(done.stderr).error.try.split(", ");
}

/** Does this with a key of every algorithm, given the environment that leads to it. */
export async function withKey(words, work) {
  const key = spawn(
    program,
    ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto",
      "--algorithms", "es256,eddsa,es384,es512,rs256,ml-dsa-44,ml-dsa-65,ml-dsa-87", "--json", ...words],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  try {
    for await (const line of createInterface({ input: key.stdout })) {
      const event = JSON.parse(line);
      if (event.event === "ready") {
        await work({ SOFTKEY_DEVICE: event.devices[0].replace("udp ", "udp:") });
        return;
      }
    }
    assert.fail("softkey run ended before it was ready");
  } finally {
    key.kill();
  }
}

/** The options of a new credential. */
export const creation = (algorithms, attestation, userVerification = "required") =>
  generateRegistrationOptions({
    rpID: RP_ID,
    rpName: "Example",
    userName: "ada",
    attestationType: attestation,
    supportedAlgorithmIDs: algorithms,
    authenticatorSelection: { userVerification, residentKey: "discouraged" },
  });

export const register = (response, options, algorithms) =>
  verifyRegistrationResponse({
    response,
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    requireUserVerification: options.authenticatorSelection.userVerification === "required",
    supportedAlgorithmIDs: algorithms,
  });

/** The options of a sign-in with that credential. */
export const request = (credential) =>
  generateAuthenticationOptions({
    rpID: RP_ID,
    allowCredentials: [{ id: credential.id }],
    userVerification: "required",
  });

export const authenticate = (response, options, credential) =>
  verifyAuthenticationResponse({
    response,
    expectedChallenge: options.challenge,
    expectedOrigin: ORIGIN,
    expectedRPID: RP_ID,
    requireUserVerification: true,
    credential,
  });

/** The words of a refusal, or null where it was accepted. Throwing is refusing, and so is an answer of false. */
export async function refusal(promise) {
  try {
    return (await promise).verified ? null : "verified: false";
  } catch (error) {
    return error.message;
  }
}
