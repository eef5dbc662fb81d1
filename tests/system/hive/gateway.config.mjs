// The published supergraph, unchanged; only where the subgraphs listen in this run (SUBGRAPHS: name → URL) is told here.
import { defineConfig } from '@graphql-hive/gateway'

const subgraphs = JSON.parse(process.env.SUBGRAPHS)
// Who asks, in which language, within how many milliseconds: subgraphs read it from these.
const handedOn = ['gwc-identity', 'accept-language', 'gwc-deadline-ms']

export const gatewayConfig = defineConfig({
  supergraph: process.env.SUPERGRAPH,
  transportEntries: Object.fromEntries(Object.entries(subgraphs).map(([name, location]) => [name, { location }])),
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) =>
      Object.fromEntries(handedOn.map((name) => [name, request.headers.get(name)]).filter(([, value]) => value !== null)),
  },
  landingPage: false,
  graphiql: false,
})
