// The authenticator of nid-webauthn-emulator, of CTAP 2.0 alone, at the end of a pipe; see foreign_authenticators.py.
// Members that it has nothing for it writes as `undefined`, which CTAP does not know: they are left out here.

import { createInterface } from "node:readline";

import cbor from "cbor";
import emulator from "nid-webauthn-emulator";

const key = new emulator.AuthenticatorEmulator();

function withoutUndefined(data) {
  const members = [...cbor.decodeFirstSync(data)];
  return cbor.encode(new Map(members.filter(([, value]) => value !== undefined)));
}

function answer(message) {
  try {
    const [command, ...parameters] = message;
    const request = parameters.length > 0 ? { command, data: Buffer.from(parameters) } : { command };
    const { status, data } = key.command(request);
    return Buffer.concat([Buffer.of(status), withoutUndefined(data)]);
  } catch (error) {
    if (error.status === undefined) throw error;
    return Buffer.of(error.status);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [, message] = line.split(" ");
  console.log(answer(Buffer.from(message, "hex")).toString("hex"));
}
