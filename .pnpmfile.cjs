/** What pnpm is told of packages that say more than they need. */

// Of redoc its bundle is served, which has everything within it: what that was built from (React and some 80 more) stays out.
const readPackage = (pkg) => (pkg.name === 'redoc' ? { ...pkg, dependencies: {}, peerDependencies: {} } : pkg);

module.exports = { hooks: { readPackage } };
