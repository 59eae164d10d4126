// What roles say in English, as the page says it in French; without a browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const esbuild = createRequire(new URL('../../web/package.json', import.meta.url))('esbuild');
const { outputFiles } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL('../../web/src/words/fr.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { fr } = await import(`data:text/javascript;base64,${code}`);

const holds = (tell, pairs) => {
  for (const [said, french] of Object.entries(pairs)) assert.equal(tell(said), french);
};

test('of what a task died, and not what its worker said', () => {
  holds(fr.toldReason, {
    'dead after 2 attempts, attempt 2: failed: exit code 4': 'morte après 2 essais, essai 2 : échec : exit code 4',
    'attempt 1: failed: ValueError: a list of at most 5 names': 'essai 1 : échec : ValueError: a list of at most 5 names',
    'attempt 1: failed: attempt 3: failed: no luck': 'essai 1 : échec : attempt 3: failed: no luck',
    'attempt 1: failed: two\nlines, attempt 3: of them': 'essai 1 : échec : two\nlines, attempt 3: of them',
    'attempt 1: failed: $& costs $1': 'essai 1 : échec : $& costs $1',
    'one of two copies: failed: no luck': 'une de deux copies : échec : no luck',
    'one of two copies: worker w1: it fell silent': 'une de deux copies : ouvrier w1 : il ne répond plus',
    'attempt 1: worker w1: its connection ended': 'essai 1 : ouvrier w1 : sa connexion est rompue',
    'attempt 1: worker w1: its worker left': 'essai 1 : ouvrier w1 : il est parti',
    'attempt 1: worker w1 no longer had it': 'essai 1 : l’ouvrier w1 ne l’avait plus',
    'attempt 1: no worker had it after a restart': 'essai 1 : aucun ouvrier ne l’avait après un redémarrage',
    'dead after 1 attempt, not tried again: error is none of lost,timeout':
      'morte après 1 essai, pas réessayée : error n’est pas de lost,timeout',
    'dead after 0 attempts, its task was lost: the journal was damaged, and salvaged':
      'morte après 0 essai, elle fut perdue : le journal était endommagé, et fut réparé',
    'all of the project is lost, since 2026-01-01, with room': 'all of the project is lost, since 2026-01-01, with room',
  });
});

test('why a task waits, and where it is', () => {
  holds(fr.toldWhy, {
    'it is the next one; of 1 worker that offers echo with gpu=1, none has a free slot':
      'c’est la prochaine ; de l’ouvrier qui offre echo avec gpu=1, aucun n’a une place libre',
    'it is behind 2 tasks; of 3 workers that offer echo, 2 have a free slot':
      'elle vient après 2 tâches ; des 3 ouvriers qui offrent echo, 2 ont une place libre',
    'every worker that offers echo is paused': 'tout ouvrier qui offre echo est en pause',
    'every worker that offers echo and has gpu=1 is paused': 'tout ouvrier qui offre echo et a gpu=1 est en pause',
    'it needs gpu=1, which no connected worker that offers echo has':
      'elle demande gpu=1, qu’aucun ouvrier connecté qui offre echo n’a',
    'its next attempt is at 2026-11-27T22:00:00.000Z, after attempt 1: failed: a list of at most 5':
      'son prochain essai est à 2026-11-27T22:00:00.000Z, après essai 1 : échec : a list of at most 5',
    'its next attempt is at 2026-11-27T22:00:00.000Z, after one of two copies: worker w1: it fell silent':
      'son prochain essai est à 2026-11-27T22:00:00.000Z, après une de deux copies : ouvrier w1 : il ne répond plus',
    'it is on a worker since 2026-11-27T22:00:00.000Z, attempt 1 of at most 3':
      'elle est sur un ouvrier depuis 2026-11-27T22:00:00.000Z, essai 1 sur 3 au plus',
    "it is on w1, since before the ventilator's last start, attempt 1 of at most 3: w1 offers echo with gpu=1 and had room, as wished: spread; it is a second copy, for it takes long on w2: whichever ends first counts":
      'elle est sur w1, d’avant le dernier démarrage du ventilateur, essai 1 sur 3 au plus : w1 offre echo avec gpu=1 et avait de la place, comme voulu : spread ; c’est une seconde copie, car elle dure sur w2 : la première finie compte',
    'it waits for a slot of w1 since 2026-11-27T22:00:00.000Z, attempt 2: alone there, for a worker was lost that had it':
      'elle attend une place de w1 depuis 2026-11-27T22:00:00.000Z, essai 2 : seule, car un ouvrier qui l’avait fut perdu',
    'it was told to end, on a worker, where it is since 2026-11-27T22:00:00.000Z':
      'elle doit finir, sur un ouvrier, où elle est depuis 2026-11-27T22:00:00.000Z',
    "the worker that had it may have lost it: the sink's log is asked whether it had ended":
      'l’ouvrier qui l’avait l’a peut-être perdue : on demande au registre si elle était finie',
    "w1 may have lost it: the sink's log is asked whether it had ended":
      'w1 l’a peut-être perdue : on demande au registre si elle était finie',
    'it waits for 2 tasks to end: k3f9qz-1, all of the project p, …':
      'elle attend la fin de 2 tâches : k3f9qz-1, toutes celles du projet p, …',
    'it waits for 1 task to end': 'elle attend la fin de 1 tâche',
    'it waits for itself, and so for ever: it waits for k3f9qz-1, that for k3f9qz-2, and that for it; cancel one of them':
      'elle s’attend elle-même, donc sans fin : elle attend k3f9qz-1, celle-ci k3f9qz-2, et celle-ci elle ; annulez l’une d’elles',
    'no connected worker offers mine; on w1 mine.py: ValueError, a list of at most 5':
      'aucun ouvrier connecté n’offre mine ; sur w1 : mine.py: ValueError, a list of at most 5',
    'project:p has 3 tasks running, limit 3': 'project:p a 3 tâches en cours, limite 3',
    'kind:echo is paused': 'kind:echo est en pause',
  });
});

test('what kinds say of themselves, or of types, and what is no word of theirs', () => {
  holds(fr.toldKind, {
    queens: 'reines',
    constructor: 'constructor',
    toString: 'toString',
    'it is the next one': 'it is the next one',
  });
  const types = readFileSync(new URL('../../common/kinds/conform.cpp', import.meta.url), 'utf8');
  const said = [...types.matchAll(/case Type::\w+:\n +return "(.+)";/g)].map(([, text]) => text);
  assert.equal(said.length, 11);
  for (const each of said) assert.notEqual(fr.toldKind(each), each);
});
