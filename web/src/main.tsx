import './look/tokens.css';
import './look/base.css';
import './look/shell.css';
import './look/overview.css';
import './look/screens.css';
import './look/narrow.css';
import { render } from 'preact';
import { Shell } from './shell';
import { startLive } from './live';
import { wordsCame } from './settings';

startLive();
void wordsCame.then(() => render(<Shell />, document.getElementById('page') as HTMLElement));
