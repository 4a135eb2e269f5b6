/** Loaded beside a test that runs at full size: its limits are for the small one. */
beforeEach(function () {
  this.currentTest?.timeout(0);
});
