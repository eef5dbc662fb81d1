// Composes what it is told to, one line after the other:
// [{"name", "url", "sdl"}, …] → {"sdl"} or {"errors": [{"code", "message"}, …]}.
import { createInterface } from "node:readline";
import { composeServices } from "@theguild/federation-composition";
import { parse } from "graphql";

function composed(subgraphs) {
  const services = subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
  const result = composeServices(services);
  if (!result.errors?.length) return { sdl: result.supergraphSdl };
  const errors = result.errors.map(({ message, extensions }) => ({ code: String(extensions?.code), message }));
  return { errors };
}

function answer(line) {
  try {
    return composed(JSON.parse(line));
  } catch (fault) {
    return { errors: [{ code: fault.name === "GraphQLError" ? "INVALID_GRAPHQL" : "FAULT", message: String(fault.stack) }] };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(line))}\n`);
}
