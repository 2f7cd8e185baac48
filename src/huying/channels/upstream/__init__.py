"""The platform above: messages about cases, by HTTPS or to another platform of the same installation."""
