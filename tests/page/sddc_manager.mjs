// An SDDC Manager that lists what it is given: the least that the page needs.

import { createServer } from "node:http";

// Starts to answer on a free port of 127.0.0.1.
export async function serve(tasks) {
  const server = createServer((request, response) => {
    const answers = {
      "POST /v1/tokens": { accessToken: "a", refreshToken: { id: "r" } },
      "GET /v1/tasks": { elements: tasks },
    };
    const answer = answers[`${request.method} ${request.url.split("?")[0]}`];
    const body = JSON.stringify(answer ?? {});
    response.writeHead(answer ? 200 : 404, { "content-type": "application/json" }).end(body);
  });
  await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

// A running task with sub-tasks, the first of which have ended.
export const running = (number) => ({
  id: `running-${number}`,
  type: "UPGRADE",
  name: `Upgrade of esx${number}.rainpole.io to the newest release`,
  status: "IN_PROGRESS",
  creationTimestamp: ago(number + 1),
  subTasks: [0, 1, 2, 3].map((step) => ({
    name: `Step ${step} of HostUpgradeWithoutAnyPlaceToBreakTheLineValidationAction${number}`,
    status: step < number % 4 ? "SUCCESSFUL" : step === number % 4 ? "IN_PROGRESS" : "PENDING",
  })),
});

// What no browser shall act on.
export const hostile =
  "<script>window.attacked = 1; alert(1)</script>\"'><img src=x onerror=\"window.attacked = 2\">" +
  "<svg onload='window.attacked = 3'>\u202egnp.exe\u001b[31m</style><meta http-equiv=refresh content=0>";

// A task that failed in a stage, with errors inside errors.
export const failed = (id, text) => ({
  id,
  type: text,
  name: text,
  status: "FAILED",
  creationTimestamp: ago(30),
  completionTimestamp: ago(10),
  isRetryable: true,
  resources: [{ resourceId: text, type: text, fqdn: text }],
  subTasks: [
    {
      name: text,
      status: "FAILED",
      stages: [
        {
          name: "Power on",
          status: "FAILED",
          errors: [
            {
              errorCode: "OUTER",
              message: text,
              remediationMessage: `Remedy: ${text}`,
              referenceToken: "TOKEN7",
              causes: [{ type: "java.io.IOException", message: `Cause: ${text}` }],
              nestedErrors: [{ errorCode: "INNER", message: "x".repeat(400) }],
            },
          ],
        },
      ],
    },
  ],
});
