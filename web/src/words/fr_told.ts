// What roles say in English, as French: sentences with names and numbers in them, a clause a line, and
// what kinds say of themselves. From what is not here on, a sentence stays as it was said: there are
// workers' own words in it.

const s = (count: string) => (count === '0' || count === '1' ? '' : 's');

type Clause = [RegExp, string | ((all: string, ...parts: string[]) => string)];

// Of what it died. What a worker said comes last, as it was said.
const kReasons: Clause[] = [
  [/^dead after (\d+) attempts?/, (_, count = '') => `morte après ${count} essai${s(count)}`],
  [/^, (?=attempt |one of |not tried |its task )/, ', '],
  [/^attempt (\d+): /, 'essai $1 : '],
  [/^one of two copies: /, 'une de deux copies : '],
  [/^failed: (.*)$/s, 'échec : $1'],
  [/^worker (\S+) no longer had it$/, 'l’ouvrier $1 ne l’avait plus'],
  [/^worker (\S+): its connection ended$/, 'ouvrier $1 : sa connexion est rompue'],
  [/^worker (\S+): it fell silent$/, 'ouvrier $1 : il ne répond plus'],
  [/^worker (\S+): its worker left$/, 'ouvrier $1 : il est parti'],
  [/^no worker had it after a restart$/, 'aucun ouvrier ne l’avait après un redémarrage'],
  [/^not tried again: (\S+) is none of (\S+)$/, 'pas réessayée : $1 n’est pas de $2'],
  [
    /^its task was lost: the journal was damaged, and salvaged$/,
    'elle fut perdue : le journal était endommagé, et fut réparé',
  ],
];

// Why a task waits, or where it is. Each begins where the one before it ended.
const kWhy: Clause[] = [
  [/^no connected worker offers (\S+?)(?=;|$)/, 'aucun ouvrier connecté n’offre $1'],
  [/^; its runners cannot start$/, ' ; ses programmes ne démarrent pas'],
  [/^; on (\S+) (.*)$/s, ' ; sur $1 : $2'],
  [
    /^it needs (.+), which no connected worker that offers (\S+) has$/,
    'elle demande $1, qu’aucun ouvrier connecté qui offre $2 n’a',
  ],
  [
    /^it needs (.+), of which (\d+) workers? (?:has|have) enough, and other tasks use it now/,
    'elle demande $1 ; assez sur $2 ouvrier(s), mais d’autres tâches s’en servent',
  ],
  [/^, or it is kept for one that has waited longer$/, ', ou c’est gardé pour une plus ancienne'],
  [/^it is pinned to (\S+), which is not connected$/, 'elle est pour $1, qui n’est pas connecté'],
  [
    /^it is pinned to (\S+), which does not (?:offer|have) (.+)$/,
    'elle est pour $1, qui n’a pas $2',
  ],
  [
    /^every worker that offers (\S+)(?: and has (.+))? is paused$/,
    (_, kind = '', needs) =>
      `tout ouvrier qui offre ${kind}${needs ? ` et a ${needs}` : ''} est en pause`,
  ],
  [/^it is the next one/, 'c’est la prochaine'],
  [
    /^it is behind (\d+) tasks?/,
    (_, before = '') => `elle vient après ${before} tâche${s(before)}`,
  ],
  [
    /^; of (\d+) workers? that offers? (\S+)(?: with (.+))?, (none|\d+) ha(?:s|ve) a free slot$/,
    (_, all = '', kind = '', needs, free = '') =>
      ` ; ${all === '1' ? 'de l’ouvrier qui offre' : `des ${all} ouvriers qui offrent`} ${kind}` +
      `${needs ? ` avec ${needs}` : ''}, ` +
      `${free === 'none' ? 'aucun n’a' : free === '1' ? '1 a' : `${free} ont`} une place libre`,
  ],
  [
    /^it waits for (\d+) tasks? to end(:? ?)/,
    (_, count = '', colon = '') =>
      `elle attend la fin de ${count} tâche${s(count)}${colon && ' : '}`,
  ],
  [/^all of the project ([^\s,]+)/, 'toutes celles du projet $1'],
  [/^[^\s,]+-\d+(?=,|$)/, '$&'],
  [/^, (?=all of the project |[^\s,]+-\d+(?:,|$)|…$)/, ', '],
  [/^it waits for itself, and so for ever/, 'elle s’attend elle-même, donc sans fin'],
  [/^: it waits for ([^\s,]+)/, ' : elle attend $1'],
  [/^, that for ([^\s,]+)/, ', celle-ci $1'],
  [/^, and that for it; cancel one of them$/, ', et celle-ci elle ; annulez l’une d’elles'],
  [/^, …; cancel one of them$/, ', … ; annulez l’une d’elles'],
  [
    /^it waits for the tasks of its key before it, of which it is the turn of (\S+)$/,
    'elle attend les tâches de sa clé qui la précèdent ; c’est le tour de $1',
  ],
  [/^it waits until (\S+)$/, 'elle attend jusqu’à $1'],
  [/^waits for project (.+) to be closed and over$/, 'elle attend que le projet $1 soit terminé'],
  [
    /^waits for project (.+)'s tasks that were accepted before it$/,
    'elle attend les tâches du projet $1 acceptées avant elle',
  ],
  [
    /^of (.+) begins? (\S+) tasks? a second at most$/,
    (_, of = '', count = '') =>
      `de ${of} ${count === '1' ? 'commence' : 'commencent'} au plus ${count} tâche${s(count)} par seconde`,
  ],
  [
    /^(\S+) has (\d+) tasks? running, limit (\d+)$/,
    (_, of = '', count = '', limit = '') => `${of} a ${count} tâche${s(count)} en cours, limite ${limit}`,
  ],
  [/^(\S+) is paused$/, '$1 est en pause'],
  [
    /^its next attempt is at ([^\s,]+)(?:, after (.+))?$/s,
    (_, at = '', reason) =>
      `son prochain essai est à ${at}${reason ? `, après ${reasonInFrench(reason)}` : ''}`,
  ],
  [
    /^the ventilator has started anew: the worker that had it may come back$/,
    'le ventilateur vient de redémarrer : l’ouvrier qui l’avait peut revenir',
  ],
  [
    /^the ventilator has started anew, and has not heard yet which tasks were settled$/,
    'le ventilateur vient de redémarrer, et ne sait pas encore quelles tâches sont réglées',
  ],
  [/^its task was lost when the journal was damaged$/, 'elle fut perdue avec le journal endommagé'],
  [
    /^its worker was lost: its last attempt runs where nothing else does.*$/,
    'son ouvrier fut perdu : son dernier essai se fait seul, et aucun ouvrier n’est vide encore',
  ],
  [
    /^(it waits for a slot of|it is on|it was told to end, on) (a worker|[^\s,]+)/,
    (_, how = '', where = '') =>
      `${how.endsWith('of') ? 'elle attend une place de' : how === 'it is on' ? 'elle est sur' : 'elle doit finir, sur'} ` +
      `${where === 'a worker' ? 'un ouvrier' : where}`,
  ],
  [/^, where it is/, ', où elle est'],
  [/^, since before the ventilator's last start/, ', d’avant le dernier démarrage du ventilateur'],
  [/^ since (\d{4}-[^\s,]+)/, ' depuis $1'],
  [/^, attempt (\d+)/, ', essai $1'],
  [/^ of at most (\d+)/, ' sur $1 au plus'],
  [/^: alone there, for a worker was lost that had it/, ' : seule, car un ouvrier qui l’avait fut perdu'],
  [
    /^: (\S+) offers (\S+)(?: with (.+?))? and had room/,
    (_, who = '', kind = '', needs) =>
      ` : ${who} offre ${kind}${needs ? ` avec ${needs}` : ''} et avait de la place`,
  ],
  [/^, as wished: ([^;]+)/, ', comme voulu : $1'],
  [
    /^; it is a second copy, for it takes long on (\S+): whichever ends first counts$/,
    ' ; c’est une seconde copie, car elle dure sur $1 : la première finie compte',
  ],
  [
    /^(the worker that had it|\S+) may have lost it: the sink's log is asked whether it had ended$/,
    (_, who = '') =>
      `${who.includes(' ') ? 'l’ouvrier qui l’avait' : who} l’a peut-être perdue : on demande au registre si elle était finie`,
  ],
  [
    /^it is over, \w+, which the sink's log does not have yet$/,
    'elle est finie, ce que le registre n’a pas encore',
  ],
];

const kKinds = new Map([
  [
    "Put the outputs of a project's tasks together, in the order of the tasks.",
    'Réunir ce que les tâches d’un projet ont donné, dans leur ordre.',
  ],
  [
    'concat: bytes, json: a list of values, sum: of their numbers, manifest: size and SHA-256 of each, checked',
    'concat : les octets, json : la liste des valeurs, sum : la somme, manifest : taille et SHA-256 de chacun, vérifiés',
  ],
  [
    'whose outputs [the one whose last task this is]',
    'de quel projet [celui dont c’est la dernière tâche]',
  ],
  ['the digest that the artifact must have', 'l’empreinte que l’artefact doit avoir'],
  ["the artifact's name [the project's]", 'le nom de l’artefact [celui du projet]'],
  [
    'Fail, with `error` of the arguments as the reason. For what is no task and could not be dealt with: with one attempt it is a dead letter.',
    'Échouer, avec `error` des arguments comme raison. Pour ce qui n’est pas une tâche et n’a pu être traité : avec un seul essai c’est une lettre morte.',
  ],
  ['Fetch a file over HTTP or HTTPS.', 'Chercher un fichier par HTTP ou HTTPS.'],
  [
    'what to fetch: http://, https://; ftp://, sftp://, s3:// where a worker allows it',
    'quoi chercher : http://, https:// ; ftp://, sftp://, s3:// si un ouvrier le permet',
  ],
  [
    'the digest it must have, 64 hexadecimal letters',
    'l’empreinte qu’il doit avoir, 64 lettres hexadécimales',
  ],
  ['… and this MD5, in hexadecimal', '… et ce MD5, en hexadécimal'],
  ['… and this SHA-1', '… et ce SHA-1'],
  ['… and this BLAKE2b of 512 bits', '… et ce BLAKE2b de 512 bits'],
  [
    'other URLs of the same file, tried in turn',
    'd’autres adresses du même fichier, essayées tour à tour',
  ],
  [
    "the artifact's name [the server's, else the URL's]",
    'le nom de l’artefact [celui du serveur, sinon de l’adresse]',
  ],
  [
    'only this one of `parts` stretches of the file, from 1',
    'seulement ce morceau du fichier, de `parts`, à partir de 1',
  ],
  [
    'stretches that the file is divided into, for as many tasks',
    'en combien de morceaux, pour autant de tâches',
  ],
  ['bytes; a larger file fails', 'octets ; un fichier plus grand échoue'],
  [
    'seconds for the whole task, tries and pauses too; 0: none',
    'secondes pour toute la tâche, tentatives et pauses comprises ; 0 : aucune limite',
  ],
  ['more tries after one that broke off', 'nouvelles tentatives après une coupure'],
  ['bytes a second at most; 0: as fast as it goes', 'octets par seconde au plus ; 0 : sans limite'],
  [
    'a second; slower for low_speed_seconds is given up',
    'par seconde ; plus lent pendant low_speed_seconds est abandonné',
  ],
  ['seconds', 'secondes'],
  [
    'Give back whatever the arguments are. For trying things out.',
    'Rendre les arguments tels quels. Pour essayer.',
  ],
  ['Run a command.', 'Lancer une commande.'],
  ['the program and its arguments', 'le programme et ses arguments'],
  ['one line for /bin/sh instead', 'ou une ligne pour /bin/sh'],
  ['its standard input, text or bytes', 'son entrée standard, texte ou octets'],
  [
    'variables added to HOME, PATH, LANG, EOLE_TASK_ID, EOLE_ATTEMPT, EOLE_PROJECT, TRACEPARENT and EOLE_PROGRESS_FD',
    'variables, en plus de HOME, PATH, LANG, EOLE_TASK_ID, EOLE_ATTEMPT, EOLE_PROJECT, TRACEPARENT et EOLE_PROGRESS_FD',
  ],
  [
    "names of the worker's secrets, which become variables; masked in what it prints",
    'noms de secrets de l’ouvrier, qui deviennent des variables ; masqués dans la sortie',
  ],
  [
    'directory to run in [a fresh one]; a relative one is below that',
    'dossier où la lancer [un nouveau] ; s’il est relatif, il est dans celui-ci',
  ],
  [
    'artifacts laid into the fresh directory: their names there, and SHA-256; may be run',
    'artefacts placés dans le nouveau dossier : leur nom et leur SHA-256 ; ils sont exécutables',
  ],
  [
    'patterns of files that it leaves, which become artifacts: build/*.log',
    'motifs des fichiers qui deviennent des artefacts : build/*.log',
  ],
  [
    'repository whose checkout is the fresh directory: https:// or ssh://',
    'dépôt extrait dans le nouveau dossier : https:// ou ssh://',
  ],
  ['its branch, tag or commit [its HEAD]', 'sa branche, étiquette ou révision [HEAD]'],
  [
    "commits of its history to fetch, and of its submodules' [all]; its revision is a branch, a tag or a whole commit then",
    'révisions à chercher, aussi des sous-modules [toutes] ; la révision est alors une branche, une étiquette ou une empreinte entière',
  ],
  [
    "name of the worker's secret for its host: USER:PASSWORD or a token",
    'nom du secret de l’ouvrier pour ce serveur : USER:PASSWORD ou un jeton',
  ],
  [
    'seconds; then it is ended with all it started; 0: none',
    'secondes ; ensuite elle est arrêtée avec tout ce qu’elle a lancé ; 0 : aucune limite',
  ],
  [
    'seconds from SIGTERM to SIGKILL, when it is ended',
    'secondes entre SIGTERM et SIGKILL, quand elle est arrêtée',
  ],
  ['bytes of output kept of each stream', 'octets gardés de chaque sortie'],
  [
    'of these arguments, as eole key sign makes it, for workers that ask for one',
    'de ces arguments, comme eole key sign la fait, pour les ouvriers qui en demandent une',
  ],
  [
    'Compress a picture (JPEG, PNG, WebP, GIF, BMP, TIFF), and change it if asked.',
    'Réduire une image (JPEG, PNG, WebP, GIF, BMP, TIFF), et la modifier si demandé.',
  ],
  ["the picture: an artifact's SHA-256", 'l’image : le SHA-256 d’un artefact'],
  ['the picture: where to fetch it', 'l’image : où la chercher'],
  ['the picture itself', 'l’image elle-même'],
  ["the artifact's name", 'le nom de l’artefact'],
  [
    "of the result; keep: the picture's own, or png",
    'du résultat ; keep : celui de l’image, ou png',
  ],
  ['of a JPEG or WebP', 'd’un JPEG ou WebP'],
  [
    'bytes: by the best quality up to `quality` that has no more; 0: any',
    'octets : par la meilleure qualité, `quality` au plus, qui n’en a pas davantage ; 0 : libre',
  ],
  ['a JPEG that is shown while it comes', 'un JPEG montré pendant qu’il arrive'],
  [
    'a JPEG with Huffman tables of its own: smaller, slower',
    'un JPEG avec ses propres tables de Huffman : plus petit, plus lent',
  ],
  [
    "samples of a JPEG's colour: 420 has a quarter",
    'échantillons de couleur d’un JPEG : 420 en a le quart',
  ],
  [
    'pixels at most, as it is shown; the shape is kept; 0: any',
    'pixels au plus, telle qu’on la voit ; les proportions restent ; 0 : libre',
  ],
  ['the same', 'de même'],
  [
    'fit: into width and height; fill: the rest of them in the background; crop: all of them',
    'fit : tient dans width et height ; fill : le reste en couleur de fond ; crop : les remplit',
  ],
  [
    'an artifact each, with at most so many pixels a side',
    'un artefact chacun, avec au plus tant de pixels de côté',
  ],
  ['degrees clockwise: 0, 90, 180 or 270', 'degrés vers la droite : 0, 90, 180 ou 270'],
  ['without colours', 'sans couleurs'],
  ['standard deviation in pixels; 0: none', 'écart type en pixels ; 0 : aucun'],
  ['how much, 1 is plenty; 0: none', 'combien, 1 est beaucoup ; 0 : aucune'],
  [
    'an artifact that is laid over the lower right corner',
    'un artefact posé dans le coin en bas à droite',
  ],
  [
    'below what is transparent, RRGGBB [white; a PNG or WebP stays transparent]',
    'sous ce qui est transparent, RRGGBB [blanc ; un PNG ou WebP reste transparent]',
  ],
  ['what else of it: exif, icc, xmp', 'quoi d’autre en garder : exif, icc, xmp'],
  [
    'Count the ways to put n queens on a board.',
    'Compter les façons de poser n reines sur un échiquier.',
  ],
  ['queens', 'reines'],
  ['columns of the queens in the first rows', 'colonnes des reines des premières rangées'],
  ['boards to show', 'échiquiers à montrer'],
  ['Wait. For trying things out.', 'Attendre. Pour essayer.'],
  ['how long', 'combien de temps'],
  // Of arguments of which their runner says no more than a type.
  ['a text', 'un texte'],
  ['a URL as text', 'une adresse, en texte'],
  ['a SHA-256: 64 lower-case hexadecimal letters', 'un SHA-256 : 64 lettres hexadécimales minuscules'],
  ['a whole number', 'un nombre entier'],
  ['a number', 'un nombre'],
  ['true or false', 'true ou false'],
  ['a text or bytes', 'un texte ou des octets'],
  ['a list of texts or bytes', 'une liste de textes ou d’octets'],
  ['a list of whole numbers', 'une liste de nombres entiers'],
  ['a map of texts', 'des textes par nom'],
  ['anything', 'n’importe quoi'],
]);

const tell = (clauses: Clause[], said: string): string => {
  let told = '';
  for (let rest = said; ; ) {
    const clause = clauses.find(([pattern]) => pattern.test(rest));
    const found = clause?.[0].exec(rest)?.[0];
    if (!clause || !found) return told + rest;
    const [pattern, french] = clause;
    // With all of the rest, for what a clause looks ahead to.
    const all = typeof french === 'string' ? rest.replace(pattern, french) : rest.replace(pattern, french);
    rest = rest.slice(found.length);
    told += all.slice(0, all.length - rest.length);
  }
};

export const kindInFrench = (said: string): string => kKinds.get(said) ?? said;
export const whyInFrench = (said: string): string => tell(kWhy, said);
export const reasonInFrench = (said: string): string => tell(kReasons, said);
