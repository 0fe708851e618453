// Gives each control that is shown and can be used a number in data-control; one number for the radios of a name.
() => {
  const controls = document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary");
  let number = 0;
  for (const control of controls) {
    // A trap for robots is left out of the order on purpose, and hidden from everybody.
    if (control.tabIndex < 0 && control.closest("[aria-hidden=true]")) continue;
    if (control.disabled || !control.checkVisibility({ visibilityProperty: true })) continue;
    // The Tab key reaches one radio of a group; the arrow keys the others.
    if (control.type === "radio" && control.form) {
      const group = [...control.form.elements].filter((one) => one.type === "radio" && one.name === control.name);
      if ((group.find((one) => one.checked) ?? group[0]) !== control) continue;
    }
    control.dataset.control = String(number++);
  }
}
