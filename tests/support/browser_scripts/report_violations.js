// Runs in each page before its own scripts: tells the test of each violation of the content security policy.
addEventListener("securitypolicyviolation", (event) => {
  window.reportViolation(
    `${document.URL}: ${event.effectiveDirective} forbids ${event.blockedURI} ${event.sample} (line ${event.lineNumber})`,
  );
});
