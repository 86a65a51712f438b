/** Before an example runs: where the platform is that was started in this home, unless its user said so. */
import { addressesOf, readHomeConfig } from '@opentact/runtime';

process.env.OPENTACT_URL ||= `http://${addressesOf(readHomeConfig('example', process.env)).http}`;
