// What a tag of TSX becomes; the build puts it into each file (the other form is 700 bytes of gzip more).
export { Fragment, h } from 'preact';
