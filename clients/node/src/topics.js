// Patterns of topics, project/kind/state: * is any one word, # any number of them, none too.
import { BadTask } from './errors.js';

const kPatternBytesMax = 1024;
const kPatternWordsMax = 64;

/** Whether a (project, kind, state) fits; names with slashes in them are several words. */
export function topics(pattern) {
  if (pattern === '') throw new BadTask('topic: is empty, which none fits; # is for all');
  const words = pattern.split('/');
  if (Buffer.byteLength(pattern) > kPatternBytesMax || words.length > kPatternWordsMax)
    throw new BadTask(
      `topic: ${words.length} words, limits ${kPatternBytesMax} bytes and ${kPatternWordsMax} words`,
    );
  for (const word of words) {
    if (word.length > 1 && /[*#]/.test(word))
      throw new BadTask(`topic: ${word}: * and # stand for words, and alone between slashes`);
  }
  // A # may take no word at all.
  const withMany = (places) => {
    for (let place = 0; place < words.length; place += 1)
      if (words[place] === '#' && places.has(place)) places.add(place + 1);
    return places;
  };
  return (project, kind, state) => {
    let places = withMany(new Set([0]));
    for (const word of `${project}/${kind}/${state}`.split('/')) {
      const next = new Set();
      for (const place of places) {
        if (words[place] === '#') next.add(place);
        else if (words[place] === '*' || words[place] === word) next.add(place + 1);
      }
      places = withMany(next);
    }
    return places.has(words.length);
  };
}
