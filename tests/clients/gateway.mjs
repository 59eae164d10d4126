// The gateway under test, and waiting for it.
export const page = process.env.EOLE_HTTP;
export const live = page.replace("http:", "ws:");

export async function get(path) {
  const answer = await fetch(page + path);
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export async function submit(tasks) {
  const answer = await fetch(page + "/task", { method: "POST", body: JSON.stringify(tasks) });
  if (answer.status !== 202) throw new Error(`POST /task: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).ids;
}

export async function until(holds, what, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const value = await holds();
    if (value) return value;
    await new Promise((go) => setTimeout(go, 20));
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

// As kill -9 does. `eole up` starts another at the same address.
export async function kill() {
  const pid = (await get("/cluster")).gateway.pid;
  process.kill(pid, "SIGKILL");
  return async () => until(async () => {
    try {
      const { gateway } = await get("/cluster");
      return gateway.pid !== pid && (await get("/readyz"));
    } catch {
      return false;
    }
  }, "another gateway");
}
