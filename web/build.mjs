// Builds the page: node build.mjs [DIRECTORY], by default ../build/web. Each file is written beside
// its gzip and brotli forms, which the gateway serves as they are.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { minify } from 'terser';

const kGzipBytesMax = 60 * 1024; // Of all files together, but for French, which comes apart.
const kFrench = 'fr.js';
const kFrenchGzipBytesMax = 12 * 1024;

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, '../build/web'));
mkdirSync(out, { recursive: true });

// A name of a word that stands nowhere but in the lists of words and behind `w().` is shortened.
const filesOf = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'words' ? [] : filesOf(path);
    return [path];
  });
const libraries = ['preact', '@preact/signals', '@preact/signals-core'].flatMap((name) =>
  filesOf(join(here, 'node_modules', name)).filter((path) => path.endsWith('.module.js')),
);
const others = [...filesOf(join(here, 'src')), ...libraries]
  .map((path) => readFileSync(path, 'utf8').replace(/\bw\(\)\s*\.\s*\w+/g, ''))
  .join(' ');
const taken = new Set(others.match(/\w+/g));
for (const type of [Array, Function, Number, Object, String])
  for (const name of Object.getOwnPropertyNames(type.prototype)) taken.add(name);
const words = ['en.ts', 'en_screens.ts']
  .map((name) => readFileSync(join(here, 'src/words', name), 'utf8'))
  .join('')
  .matchAll(/^ {2}(\w+):/gm);
const free = [...words].map(([, name]) => name).filter((name) => !taken.has(name));

const common = {
  bundle: true,
  minify: true,
  mangleProps: new RegExp(`^(${free.join('|')})$`),
  format: 'esm',
  target: ['chrome100', 'firefox100', 'safari15'],
  charset: 'utf8',
  outdir: out,
  write: false,
};
const page = await build({
  ...common,
  entryPoints: { page: join(here, 'src/main.tsx') },
  mangleCache: {},
  inject: [join(here, 'src/h.ts')],
  tsconfigRaw: {
    compilerOptions: { jsx: 'react', jsxFactory: 'h', jsxFragmentFactory: 'Fragment' },
  },
  legalComments: 'eof', // Their licences stay with what is theirs.
});
const french = await build({
  ...common,
  entryPoints: { fr: join(here, 'src/words/fr.ts') },
  mangleCache: page.mangleCache, // The short names are the page's.
});
const files = [...page.outputFiles, ...french.outputFiles].map((file) => [
  file.path.slice(out.length + 1),
  Buffer.from(file.contents),
]);
// Its locals have the same few names in every function, which gzip packs better: 4 % less.
for (const file of files.filter(([name]) => name === 'page.js')) {
  const { code } = await minify(String(file[1]), { module: true, compress: { passes: 2 } });
  file[1] = Buffer.from(code);
}
for (const name of ['index.html', 'page.svg']) {
  files.push([name, readFileSync(join(here, 'src', name))]);
}

let total = 0;
for (const [name, bytes] of files) {
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(join(out, name), bytes);
  const zipped = execFileSync('zopfli', ['-c', join(out, name)]); // 3 % less than gzip -9.
  writeFileSync(join(out, `${name}.gz`), zipped);
  writeFileSync(join(out, `${name}.br`), brotli);
  if (name !== kFrench) total += zipped.length;
  else if (zipped.length > kFrenchGzipBytesMax) total = Infinity;
  console.log(
    `page: ${name} ${bytes.length} bytes, gzip ${zipped.length}, brotli ${brotli.length}`,
  );
}
if (total > kGzipBytesMax) {
  console.error(`page: ${total} bytes of gzip, limit ${kGzipBytesMax}`);
  process.exit(1);
}
