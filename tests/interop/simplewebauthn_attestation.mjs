// SimpleWebAuthn as a relying party that trusts the root of `softkey attestation`: its exact answer to what
// `softkey run --attestation` makes in each format with each algorithm, where the root is trusted, where another one is,
// and where the statement is about another client data. README.md says why it refuses what is right.
// Usage: node simplewebauthn_attestation.mjs PATH-OF-SOFTKEY, with a Node.js that has ML-DSA: 24.7 or newer.

import assert from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SettingsService } from "@simplewebauthn/server";

import { creation, refusal, register, respond, softkey, withKey } from "./simplewebauthn_party.mjs";

const UNCHAINED = "x5c could not be chained to any specified trust anchor";
const [EDDSA, RS256] = [-8, -257];
const ALL = [-7, EDDSA, -35, -36, RS256, -48, -49, -50];
// Its comparison of the credential's key with the certificate's takes every key for a point of two coordinates.
const ANDROID_KEY = "Credential public key does not equal leaf cert public key (Android Key)";
const APPLE = "Credential public key does not equal credCert public key (Apple)";
// Of the curves in certificates it knows two.
const P521 = "Certificate public key contained unexpected namedCurve 1.3.132.0.35 (EC2)";

/**
 * Each format that `softkey attestation format` has and that names a root: the algorithms that suit it, what it refuses
 * of them with which words, and the words for another root and for another client data.
 */
const FORMATS = {
  packed: {
    algorithms: ALL,
    refusals: {},
    otherRoot: `${UNCHAINED} (Packed|Full)`,
    otherClientData: "verified: false",
  },
  "fido-u2f": {
    algorithms: [-7],
    refusals: {},
    otherRoot: `${UNCHAINED} (FIDOU2F)`,
    otherClientData: "verified: false",
  },
  tpm: {
    algorithms: [-7, -35, -36, RS256],
    refusals: {},
    otherRoot: `${UNCHAINED} (TPM)`,
    otherClientData: "CertInfo extra data did not equal hashed attestation (TPM)",
  },
  "android-key": {
    algorithms: [-7, EDDSA, -35, -36, RS256],
    refusals: { [EDDSA]: ANDROID_KEY, [-36]: P521, [RS256]: ANDROID_KEY },
    otherRoot: "x5c root certificate was not a known root certificate (Android Key)",
    otherClientData: "Attestation challenge was not equal to client data hash (Android Key)",
  },
  apple: {
    algorithms: [-7, EDDSA, -35, -36, RS256],
    refusals: { [EDDSA]: APPLE, [RS256]: APPLE },
    otherRoot: `${UNCHAINED} (Apple)`,
    otherClientData: "credCert nonce was not expected value (Apple)",
  },
};

/** A new root in this folder: its file, and its certificate in PEM. */
function root(folder, name) {
  const file = join(folder, name);
  softkey(["attestation", "new", "--file", file]);
  return { file, certificate: softkey(["attestation", "export", "--file", file]) };
}

/** Makes this root the only one that statements of each format may lead to. */
function trust({ certificate }) {
  for (const identifier of Object.keys(FORMATS)) {
    SettingsService.setRootCertificates({ identifier, certificates: [certificate] });
  }
}

/** Does this with a key that prefers these formats. */
function withFormats(formats, { file }, work) {
  softkey(["attestation", "format", ...formats, "--file", file]);
  return withKey(["--attestation", file], work);
}

/** The response of a new credential, and what the library says of such a response to the same options. */
async function registration(environment, algorithm) {
  const options = await creation([algorithm], "direct", "discouraged");
  const made = respond(["create"], options, environment);
  return { made, judge: (response) => register(response, options, [algorithm]) };
}

/** The same response over a client data of the same challenge and origin that says one thing more. */
function withOtherClientData(response) {
  const other = structuredClone(response);
  const clientData = JSON.parse(Buffer.from(other.response.clientDataJSON, "base64url"));
  const json = JSON.stringify({ ...clientData, other: true });
  other.response.clientDataJSON = Buffer.from(json).toString("base64url");
  return other;
}

async function eachFormatLeadsToTheExportedRoot(mine, other) {
  for (const [format, { algorithms, refusals, otherRoot, otherClientData }] of Object.entries(FORMATS)) {
    await withFormats([format], mine, async (environment) => {
      for (const algorithm of algorithms) {
        const { made, judge } = await registration(environment, algorithm);
        trust(mine);
        if (algorithm in refusals) {
          assert.equal(await refusal(judge(made)), refusals[algorithm]);
          console.log(`SimpleWebAuthn refuses ${format} with ${algorithm}: ${refusals[algorithm]}`);
          continue;
        }
        const { verified, registrationInfo } = await judge(made);
        assert.ok(verified);
        assert.equal(registrationInfo.fmt, format);
        assert.equal(await refusal(judge(withOtherClientData(made))), otherClientData);
        trust(other);
        assert.equal(await refusal(judge(made)), otherRoot);
        console.log(`SimpleWebAuthn accepts ${format} with ${algorithm}, and not with another root or client data`);
      }
    });
  }
}

async function withoutACertificateNoRootMatters(mine, other) {
  trust(other);
  await withFormats(["none", "tpm"], mine, async (environment) => {
    const { made, judge } = await registration(environment, -7);
    assert.equal((await judge(made)).registrationInfo.fmt, "none");
    console.log("SimpleWebAuthn accepts none");
  });
  await withFormats(["self"], mine, async (environment) => {
    for (const algorithm of ALL) {
      const { made, judge } = await registration(environment, algorithm);
      assert.equal((await judge(made)).registrationInfo.fmt, "packed");
      assert.equal(await refusal(judge(withOtherClientData(made))), "verified: false");
      console.log(`SimpleWebAuthn accepts self with ${algorithm}, and not with another client data`);
    }
  });
}

async function compoundItDoesNotKnow(mine) {
  trust(mine);
  await withFormats(["compound"], mine, async (environment) => {
    const { made, judge } = await registration(environment, -7);
    assert.equal(await refusal(judge(made)), "Unsupported Attestation Format: compound");
  });
}

const folder = mkdtempSync(join(tmpdir(), "softkey-interop-"));
try {
  const mine = root(folder, "root");
  const other = root(folder, "other");
  await eachFormatLeadsToTheExportedRoot(mine, other);
  await withoutACertificateNoRootMatters(mine, other);
  await compoundItDoesNotKnow(mine);
} finally {
  rmSync(folder, { recursive: true });
}
console.log("test result: ok. 3 passed; 0 failed");
