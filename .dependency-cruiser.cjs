/** Who may import whom. Each comment is the sentence a reviewer would say. */
module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'A domain folder imports only itself and the types of proto: no library, no clock, no network.',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/domain/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^services/$1/src/domain/', '^proto/src/events\\.ts$'] },
    },
    {
      name: 'domain-takes-types-only',
      comment: 'What a domain takes from proto are types; codecs live in adapters.',
      severity: 'error',
      from: { path: '^services/[^/]+/src/domain/', pathNot: '\\.test\\.ts$' },
      to: { path: '^proto/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'services-do-not-import-each-other',
      comment: 'A service never imports another: proto and services/shared are what they share.',
      severity: 'error',
      from: { path: '^services/(?!shared/)([^/]+)/' },
      to: { path: '^services/(?!shared/)([^/]+)/', pathNot: '^services/$1/' },
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
      name: 'production-imports-no-tests',
      comment: 'What ships never imports what tests it.',
      severity: 'error',
      from: { path: '^(services|proto)/', pathNot: ['\\.test\\.ts$', '/testing/'] },
      to: { path: ['^test/', '\\.test\\.ts$', '/testing/'] },
    },
    {
      name: 'adapters-are-chosen-in-main',
      comment: 'Adapters are chosen in main.ts and nowhere else.',
      severity: 'error',
      from: { path: '^services/(?!shared/)[^/]+/src/', pathNot: ['/main\\.ts$', '/adapters/', '\\.test\\.ts$'] },
      to: { path: '^services/(?!shared/)[^/]+/src/adapters/' },
    },
    {
      name: 'no-circles',
      comment: 'No circles.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/gen/', 'node_modules/(?!@opentact)'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
};
