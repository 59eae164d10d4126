import { act, Curl, tell } from '../parts/told';
import { go } from '../router';
import { knowsEole, w } from '../settings';

/** Three things to try, each a button that does it here and a line of shell that does it there. */
export function FirstVisit() {
  const task = { kind: 'echo', args: { text: w().hello } };
  const submit = async () => {
    const answer = await act<{ ids: string[] }>('POST', '/task', task);
    const id = answer?.ids?.[0];
    if (!id) return;
    knowsEole.value = true;
    tell(w().accepted1(id));
    go(`/tasks/${id}`);
  };
  return (
    <section class="first" aria-labelledby="first-title">
      <div class="section-head">
        <h2 id="first-title">{w().firstTitle}</h2>
        <button class="plain" onClick={() => (knowsEole.value = true)}>
          {w().hide}
        </button>
      </div>
      <ol>
        <li>
          <h3>{w().firstEcho}</h3>
          <p>{w().firstEchoText}</p>
          <div class="actions">
            <button class="main" onClick={submit}>
              {w().firstEchoButton}
            </button>
            <Curl method="POST" path="/task" body={task} />
          </div>
          <pre>eole submit echo {w().hello} --wait</pre>
        </li>
        <li>
          <h3>{w().firstPicture}</h3>
          <p>{w().firstPictureText}</p>
          <div class="actions">
            <a class="button" href="/pictures">
              {w().firstPictureButton}
            </a>
          </div>
          <pre>eole submit image photo.jpg --width 1200 --wait</pre>
        </li>
        <li>
          <h3>{w().firstQueens}</h3>
          <p>{w().firstQueensText}</p>
          <div class="actions">
            <a class="button" href="/queens">
              {w().firstQueensButton}
            </a>
          </div>
          <pre>eole nqueens 12</pre>
        </li>
      </ol>
    </section>
  );
}
