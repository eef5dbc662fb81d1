// Hive Gateway over the benchmark's supergraph; SHARING=on lets identical requests in flight share one.
import { defineConfig } from '@graphql-hive/gateway'

const sharing = process.env.SHARING === 'on'

export const gatewayConfig = defineConfig({
  supergraph: process.env.SUPERGRAPH,
  landingPage: false,
  graphiql: false,
  logging: false,
  inboundInflightRequestDeduplication: sharing,
  transportEntries: { '*.http': { options: { deduplicateInflightRequests: sharing } } },
})
