/** Logging in: what writing takes in a ring with a secret. */

/** Leaves for the form; it leads back here. */
export function logIn() {
  location.assign("/_ring/login");
}
