"""All settings, from the environment. A value that cannot be right stops the start and says which."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from huying.base.crypto import EnvKeys, FileKeys

ROOT = Path(__file__).resolve().parents[3]


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def env_bool(name: str, default: bool) -> bool:
    text = env(name, "1" if default else "0").lower()
    if text not in ("0", "1", "true", "false", "yes", "no"):
        raise ImproperlyConfigured(f"环境变量 {name} 应为 1 或 0，现在是“{text}”。")
    return text in ("1", "true", "yes")


def env_path(name: str, default: Path) -> Path:
    return Path(env(name) or default)


def env_whole(name: str, default: int) -> int:
    text = env(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise ImproperlyConfigured(f"环境变量 {name} 应为1至100000的整数，现在是“{text}”。")
    return int(text)


def env_pairs(name: str) -> dict[str, str]:
    """`a/b=value c/d=value`: what belongs to each of several names, between blanks."""
    pairs = [one.partition("=") for one in env(name).split()]
    if any(not value or one.count("/") != 1 for one, _, value in pairs):
        raise ImproperlyConfigured(f"环境变量 {name} 应形如“平台代号/上级平台=值”，几项之间用空格隔开。")
    return {one: value for one, _, value in pairs}


def database(url: str) -> dict[str, object]:
    """Django's database settings from `postgresql://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL 应形如 postgresql://用户:口令@主机:端口/库名。")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}},
    }


ENVIRONMENT = env("HUYING_ENV", "development")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env_bool("HUYING_DEBUG", False)
if ENVIRONMENT not in ("development", "test", "production"):
    raise ImproperlyConfigured(f"HUYING_ENV 应为 development、test 或 production，现在是“{ENVIRONMENT}”。")
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("生产环境不得打开 HUYING_DEBUG。")

VAR = env_path("HUYING_VAR", ROOT / "var")
SECRET_KEY = env("HUYING_SECRET_KEY") or ("" if PRODUCTION else "only-for-development-and-demo")
if PRODUCTION and (not SECRET_KEY or SECRET_KEY == "only-for-development-and-demo"):
    raise ImproperlyConfigured("生产环境须设置 HUYING_SECRET_KEY。")
ALLOWED_HOSTS = [host for host in env("HUYING_HOSTS", "127.0.0.1,localhost,testserver").split(",") if host]
BASE_URL = env("HUYING_BASE_URL", "http://127.0.0.1:8000")
if PRODUCTION and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured("生产环境的 HUYING_BASE_URL 须以 https:// 开头。")

DATABASE_URL = env("DATABASE_URL", "postgresql://huying@127.0.0.1:5432/huying")
DATABASES = {"default": database(DATABASE_URL)}

HUYING_REGULATIONS = env_path("HUYING_REGULATIONS", ROOT / "regulations")
HUYING_FILES = env_path("HUYING_FILES", VAR / "files")
HUYING_KEYS_PATH = env_path("HUYING_KEYS_PATH", VAR / "keys" / "huying.keys")
HUYING_KEYS = EnvKeys() if env("HUYING_KEYS_FROM_ENV") else FileKeys(HUYING_KEYS_PATH)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
    "huying.people",
    "huying.cases",
    "huying.channels",
    "huying.ui",
    "huying.portal",
    "huying.desk",
    "huying.api",
    "huying.site",
]
MIDDLEWARE = [
    "huying.ui.middleware.server_timing",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "huying.ui.middleware.no_store",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "huying.site.urls"
WSGI_APPLICATION = "huying.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/desk/sign-in/"
LOGIN_REDIRECT_URL = "/desk/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_ADAPTER = "huying.desk.sign_in.NoSelfSignUp"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
# Roles that supervise, inspect, administer or may read who asked do not work without a second factor.
HUYING_REQUIRE_MFA = env_bool("HUYING_REQUIRE_MFA", PRODUCTION)
# A lock hits a name together with a source, so that nobody can lock out somebody else.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "huying.ui.source.source_of"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "desk/locked.html"
AXES_VERBOSE = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
_ = NONCE

# Behind a proxy: the header whose last entry is the address of the source (e.g. HTTP_X_FORWARDED_FOR).
HUYING_ADDRESS_FROM = env("HUYING_ADDRESS_FROM", "REMOTE_ADDR")

# Kept on the server: what a page tells once may name a case.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

HUYING_SERVER_TIMING = env_bool("HUYING_SERVER_TIMING", False)

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

EMAIL_HOST = env("HUYING_SMTP_HOST")
EMAIL_PORT = int(env("HUYING_SMTP_PORT", "25"))
EMAIL_HOST_USER = env("HUYING_SMTP_USER")
EMAIL_HOST_PASSWORD = env("HUYING_SMTP_PASSWORD")
EMAIL_USE_TLS = env_bool("HUYING_SMTP_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("HUYING_MAIL_FROM", "noreply@localhost")

# Where the platforms above are: an address, or `platform:` and the name of a platform of this installation.
HUYING_UPSTREAMS = env_pairs("HUYING_UPSTREAMS")
HUYING_UPSTREAM_SECRETS = env_pairs("HUYING_UPSTREAM_SECRETS")
for _name, _address in HUYING_UPSTREAMS.items():
    if not _address.startswith(("https://", "platform:") if PRODUCTION else ("https://", "http://", "platform:")):
        raise ImproperlyConfigured(f"HUYING_UPSTREAMS 中 {_name} 的地址须以 https:// 开头，或写 platform:平台代号。")
if set(HUYING_UPSTREAM_SECRETS) - set(HUYING_UPSTREAMS):
    raise ImproperlyConfigured("HUYING_UPSTREAM_SECRETS 中有 HUYING_UPSTREAMS 没有写的上级平台，请核对。")

# When the monitor raises an alert.
HUYING_MONITOR = {
    "queue_minutes": env_whole("HUYING_MONITOR_QUEUE_MINUTES", 10),
    "worker_minutes": env_whole("HUYING_MONITOR_WORKER_MINUTES", 5),
    "mail_minutes": env_whole("HUYING_MONITOR_MAIL_MINUTES", 60),
    "upstream_minutes": env_whole("HUYING_MONITOR_UPSTREAM_MINUTES", 60),
    "failed_jobs": env_whole("HUYING_MONITOR_FAILED_JOBS", 3),
    "disk_percent": env_whole("HUYING_MONITOR_DISK_PERCENT", 90),
}

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"allowed": {"()": "huying.base.logs.AllowedKeys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "allowed"}},
    # Django's own handlers would mail or print a whole request; everything goes through the one above.
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
    },
    "root": {"handlers": ["console"], "level": env("HUYING_LOG_LEVEL", "WARNING")},
}
