// Copy and print on the receipt. The page says and does everything without it.
"use strict";
for (const box of document.querySelectorAll("[data-with-script]")) {
  box.hidden = false;
  const said = box.querySelector("[data-said]");
  box.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-print")) { window.print(); return; }
    const texts = button.dataset.copy.split(" ").map((id) => {
      const dd = document.getElementById(id);
      return dd.previousElementSibling.textContent + "：" + dd.textContent;
    });
    try {
      await navigator.clipboard.writeText(texts.join("\n"));
      said.textContent = said.dataset.said;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById("receipt-code").parentElement);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
    }
  });
}
