/** Who may import whom. Each comment is the sentence a reviewer would say. */

const TESTS = ['\\.test\\.ts$', '/testing/'];

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment:
        'A domain folder imports only itself, the types, the request table and the public view of a call of proto and the pure tables of numbering: no library, no clock, no network.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/domain/', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: [
          '^services/$1/src/domain/',
          '^proto/src/(events|requests|observations)\\.ts$',
          '^proto/src/call-view/',
          '^services/shared/numbering/src/',
        ],
      },
    },
    {
      name: 'domain-takes-types-only',
      comment:
        'What a domain takes from proto are types, the pure table of requests and the pure view of a call; codecs live in adapters.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/domain/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^proto/',
        pathNot: '^proto/src/((requests|observations)\\.ts$|call-view/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'services-do-not-import-each-other',
      comment: 'A service never imports another: proto and services/shared are what they share.',
      severity: 'error',
      from: { path: '^services/(?!shared/|phone/|cell/)([^/]+)/' },
      to: { path: '^services/(?!shared/)([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'the-phone-takes-stack-and-peer',
      comment: 'Of other services the phone takes the messages of SIP and the media of a phone, and nothing else.',
      severity: 'error',
      from: { path: '^services/phone/' },
      to: {
        path: '^services/(?!shared/|phone/)',
        pathNot: ['^services/sip-edge/src/stack/', '^services/media/src/peer/'],
      },
    },
    {
      name: 'a-cell-takes-starts',
      comment: 'Of other services a cell takes what starts them, and nothing else.',
      severity: 'error',
      from: { path: '^services/cell/' },
      to: { path: '^services/(?!shared/|cell/)', pathNot: '^services/[^/]+/src/start\\.ts$' },
    },
    {
      name: 'shared-knows-no-service',
      comment: 'Plumbing knows no service and no call.',
      severity: 'error',
      from: { path: '^services/shared/' },
      to: { path: '^services/(?!shared/)' },
    },
    {
      name: 'proto-knows-nobody',
      comment: 'What we say depends on nothing that we are.',
      severity: 'error',
      from: { path: '^proto/' },
      to: { path: '^services/' },
    },
    {
      name: 'the-view-of-a-call-is-pure',
      comment:
        'The tables of requests and observations and the public view of a call know the types of events and nothing else.',
      severity: 'error',
      from: { path: '^proto/src/((requests|observations)\\.ts$|call-view/)', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^proto/src/call-view/', '^proto/src/events\\.ts$', '^proto/src/requests\\.ts$'] },
    },
    {
      name: 'production-imports-no-tests',
      comment: 'What ships never imports what tests it.',
      severity: 'error',
      from: { path: '^(services|proto)/', pathNot: ['\\.test\\.ts$', '/testing/'] },
      to: { path: ['^test/', '\\.test\\.ts$', '/testing/'] },
    },
    {
      name: 'adapters-are-chosen-in-start',
      comment: 'Adapters are chosen in start.ts (main.ts, where a service has no other) and nowhere else.',
      severity: 'error',
      from: {
        path: '^services/(?!shared/)[^/]+/src/',
        pathNot: ['/(main|start)\\.ts$', '/adapters/', '\\.test\\.ts$'],
      },
      to: { path: '^services/(?!shared/)[^/]+/src/adapters/' },
    },
    {
      name: 'api-kernel-knows-nobody',
      comment: 'The kernel of api is what everything in it may use: it imports nothing of api.',
      severity: 'error',
      from: { path: '^services/api/src/kernel/', pathNot: TESTS },
      to: { path: '^services/api/src/(?!kernel/)' },
    },
    {
      name: 'api-database-knows-the-kernel',
      comment: 'Tables know no route and no feature.',
      severity: 'error',
      from: { path: '^services/api/src/database/', pathNot: TESTS },
      to: { path: '^services/api/src/(?!(kernel|database)/)' },
    },
    {
      name: 'api-frame-knows-no-feature',
      comment: 'The frame of the REST API is the same whatever is built in it.',
      severity: 'error',
      from: { path: '^services/api/src/rest/', pathNot: TESTS },
      to: { path: '^services/api/src/(?!(kernel|database|rest)/)' },
    },
    {
      name: 'api-features-are-wired-in-app',
      comment: 'A feature knows neither app.ts and main.ts, which wire it, nor what reads the document of all of them.',
      severity: 'error',
      from: { path: '^services/api/src/(?!(client|reference)/)[^/]+/', pathNot: TESTS },
      to: { path: '^services/api/src/([^/]+\\.ts$|(client|reference)/)' },
    },
    {
      name: 'api-features-know-no-http',
      comment: 'Money, calls and numbers know no HTTP: what of a feature is HTTP lies in its rest folder.',
      severity: 'error',
      from: {
        path: '^services/api/src/(?!(kernel|database|rest|demo|client|reference)/)[^/]+/(?!rest/)',
        pathNot: TESTS,
      },
      to: {
        path: ['^services/api/src/rest/', '^services/api/src/[a-z]+/rest/', '(^|/)@?fastify(/|$)', '^(node:)?https?$'],
      },
    },
    {
      name: 'no-circles',
      comment: 'No circles, of types neither: no file of one can be read before the others.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/gen/', '^(?!.*/@?fastify/).*node_modules/(?!@opentact)'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
};
