// GraphiQL on this gateway: queries by HTTP, subscriptions by graphql-transport-ws, examples as tabs.
// Everything comes from the gateway itself; no other host is asked for anything.
(function () {
  "use strict";
  var endpoint = window.location.pathname.replace(/\/$/, "");
  var socketUrl = window.location.origin.replace(/^http/, "ws") + endpoint;

  function lowerCased(headers) {
    var lowered = {};
    Object.keys(headers || {}).forEach(function (name) { lowered[name.toLowerCase()] = headers[name]; });
    return lowered;
  }

  function post(params, headers) {
    return fetch(endpoint, {
      method: "POST",
      headers: Object.assign(
        { "content-type": "application/json", accept: "application/graphql-response+json, application/json" },
        headers
      ),
      body: JSON.stringify(params)
    }).then(function (response) { return response.json(); });
  }

  // An async iterable of results, as GraphiQL takes it; leaving it ends the subscription and closes the socket.
  function subscribe(params, headers) {
    var client = graphqlWs.createClient({ url: socketUrl, connectionParams: lowerCased(headers), retryAttempts: 5 });
    var results = client.iterate(params);
    return {
      next: function () { return results.next(); },
      return: function (value) { client.dispose(); return results.return(value); },
      [Symbol.asyncIterator]: function () { return this; }
    };
  }

  function isSubscription(params, options) {
    var document = options && options.documentAST;
    if (!document) return /^\s*subscription\b/m.test(params.query);
    return document.definitions.some(function (one) {
      return one.kind === "OperationDefinition" && one.operation === "subscription" &&
        (!params.operationName || (one.name && one.name.value === params.operationName));
    });
  }

  function fetcher(params, options) {
    var headers = (options && options.headers) || {};
    return isSubscription(params, options) ? subscribe(params, headers) : post(params, headers);
  }

  var examples = JSON.parse(document.getElementById("examples").textContent);
  var props = { fetcher: fetcher, defaultEditorToolsVisibility: "headers", shouldPersistHeaders: false };
  if (examples.length) {
    props.defaultTabs = examples.map(function (query) { return { query: query }; });
    props.defaultQuery = examples[0];
  }
  ReactDOM.createRoot(document.getElementById("graphiql")).render(React.createElement(GraphiQL, props));
})();
