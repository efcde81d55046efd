// The one place that loads rp2040js. The folder of modules is given, because it need not be a parent of this file.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const modules = process.env.REMNANT_NODE_MODULES ?? fileURLToPath(new URL('../node_modules', import.meta.url));
const load = (file) => import(pathToFileURL(join(modules, 'rp2040js', 'dist', 'esm', file)).href);

export const { RP2040, USBCDC, GPIOPinState, BasePeripheral, ConsoleLogger, LogLevel } = await load('index.js');
export const { RPReset } = await load('peripherals/reset.js');
export const { RPTimer } = await load('peripherals/timer.js');
export const { IRQ } = await load('irq.js');
export const { DREQChannel } = await load('peripherals/dma.js');
