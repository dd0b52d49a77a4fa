-- SHA-256 and AES-256-GCM from the libcrypto that NGINX has loaded.

local base64 = require "ngx.base64"
local ffi = require "ffi"

-- One declaration that exists already would discard a whole block, so each stands alone.
for _, declaration in ipairs {
    "unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);",
    "int RAND_bytes(unsigned char *buf, int num);",
    "typedef struct evp_cipher_st EVP_CIPHER;",
    "typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;",
    "EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);",
    "const EVP_CIPHER *EVP_aes_256_gcm(void);",
    [[int EVP_CipherInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type, void *impl, const unsigned char *key,
        const unsigned char *iv, int enc);]],
    "int EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl, const unsigned char *in, int inl);",
    "int EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *outm, int *outl);",
    "int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);",
} do
    pcall(ffi.cdef, declaration)
end

local C = ffi.C
local digest = ffi.new("unsigned char[32]")

local NONCE, TAG = 12, 16
local GET_TAG, SET_TAG = 0x10, 0x11
local LONGEST = 8192

local nonce = ffi.new("unsigned char[?]", NONCE)
local tag = ffi.new("unsigned char[?]", TAG)
local out = ffi.new("unsigned char[?]", LONGEST + TAG)
local written = ffi.new("int[1]")
local context

local _M = {}

-- The 32 bytes of a text's SHA-256.
function _M.sha256(text)
    C.SHA256(text, #text, digest)
    return ffi.string(digest, 32)
end

local function run(encrypt, key, iv, text, about)
    context = context or C.EVP_CIPHER_CTX_new()
    assert(C.EVP_CipherInit_ex(context, C.EVP_aes_256_gcm(), nil, key, iv, encrypt) == 1)
    assert(C.EVP_CipherUpdate(context, nil, written, about, #about) == 1)
    assert(C.EVP_CipherUpdate(context, out, written, text, #text) == 1)
    return ffi.string(out, written[0])
end

-- A text that only holders of `key` (32 bytes) can read or make, as base64url; `about` is bound to it and not in it.
function _M.seal(key, text, about)
    assert(#text <= LONGEST - NONCE - TAG and C.RAND_bytes(nonce, NONCE) == 1)
    local sealed = run(1, key, nonce, text, about)
    assert(C.EVP_CipherFinal_ex(context, out, written) == 1)
    assert(C.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG, tag) == 1)
    return base64.encode_base64url(ffi.string(nonce, NONCE) .. sealed .. ffi.string(tag, TAG))
end

-- The text that was sealed with the same key and `about`; nil for anything else.
function _M.open(key, sealed, about)
    local raw = #sealed <= 2 * LONGEST and base64.decode_base64url(sealed)
    if not raw or #raw < NONCE + TAG or #raw > LONGEST then
        return nil
    end
    local text = run(0, key, raw:sub(1, NONCE), raw:sub(NONCE + 1, -TAG - 1), about)
    ffi.copy(tag, raw:sub(-TAG), TAG)
    assert(C.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG, tag) == 1)
    return C.EVP_CipherFinal_ex(context, out, written) == 1 and text or nil
end

return _M
