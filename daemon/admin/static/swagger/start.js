// Sends the session's CSRF token along, so that "Try it out" works for whoever is logged in.
addEventListener("DOMContentLoaded", async () => {
  const me = await (await fetch("/api/v1/me")).json();
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#api",
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (request.method !== "GET") request.headers["X-CSRF-Token"] = me.csrf;
      return request;
    },
  });
});
