#!/usr/bin/env node
import { main } from '../src/runner.js';

await main(process.argv.slice(2));
