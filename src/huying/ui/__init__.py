"""What all pages share: base templates, words, htmx set-up. No rules."""
