//! The bad tokens, each with what is bad about it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ryggrad_issuer::{Grant, Issuer, Key};
use ryggrad_testkit::{TestIssuer, now};
use serde_json::{Value, json};

use crate::tokens::base64url;

/// A name, and the values of `authorization`.
pub(super) type Row = (String, Vec<String>);

/// What bad tokens are made of.
struct Forge<'a> {
    issuer: &'a Issuer,
    rows: Vec<Row>,
}

pub(super) fn rows(issuer: &TestIssuer) -> Vec<Row> {
    let mut forge = Forge {
        issuer: issuer.issuer(),
        rows: Vec::new(),
    };
    forge.headers();
    forge.keys();
    forge.repeated_names();
    forge.shapes();
    forge.dates();
    forge.claims();
    forge.requests();
    forge.rows
}

// === impl Forge ===

impl Forge<'_> {
    fn add(&mut self, name: impl Into<String>, token: impl Into<String>) {
        let value = format!("Bearer {}", token.into());
        self.rows.push((name.into(), vec![value]));
    }

    /// The claims of a good token, except what is changed; `null` takes a claim away.
    fn but(&self, changes: &Value) -> Value {
        let grant = Grant::new("399000203".parse().expect("a number"), []);
        let mut claims = self.issuer.claims(&grant, now()).expect("claims");
        for (name, value) in changes.as_object().expect("an object") {
            if value.is_null() {
                claims.as_object_mut().expect("an object").remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    fn good(&self) -> String {
        self.issuer.sign(&self.but(&json!({}))).expect("a signature")
    }

    /// Signed by the right key under this header.
    fn under(&self, header: &str) -> String {
        let claims = self.but(&json!({})).to_string();
        self.issuer
            .key()
            .sign("RS256", header, claims.as_bytes())
            .expect("a signature")
    }

    /// Header and payload of a good token, with another header.
    fn unsigned(&self, header: &Value) -> String {
        let claims = self.but(&json!({})).to_string();
        format!("{}.{}", base64url(&header.to_string()), base64url(&claims))
    }

    fn headers(&mut self) {
        let kid = self.issuer.key().id().to_owned();
        for alg in ["none", "None", "nOnE", ""] {
            let bare = self.unsigned(&json!({ "alg": alg, "kid": kid }));
            self.add(format!("alg {alg:?} without a signature"), format!("{bare}."));
            let signed = self.under(&json!({ "alg": alg, "kid": kid }).to_string());
            self.add(format!("alg {alg:?} with a signature"), signed);
        }
        for alg in [
            json!("PS256"),
            json!("ES256"),
            json!("EdDSA"),
            json!("rs256"),
            json!(["RS256"]),
            json!(0),
            Value::Null,
        ] {
            let token = self.under(&json!({ "alg": alg, "kid": kid }).to_string());
            self.add(format!("alg {alg}"), token);
        }
        let token = self.under(&json!({ "kid": kid }).to_string());
        self.add("no alg", token);
        let token = self.under(&json!({ "alg": "RS512", "kid": kid }).to_string());
        self.add("RS256 that says RS512", token);
        let claims = self.but(&json!({})).to_string();
        let header = json!({ "alg": "RS512", "kid": kid }).to_string();
        let token = self
            .issuer
            .key()
            .sign("RS512", &header, claims.as_bytes())
            .expect("a signature");
        self.add("RS512 by a key that is for RS256", token);
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("jku", json!("http://127.0.0.1:1/jwks.json")),
            ("x5u", json!("http://127.0.0.1:1/chain.pem")),
            ("x5c", json!(["MIIB"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("enc", json!("A128GCM")),
            ("typ", json!("logout+jwt")),
            ("typ", json!(5)),
            ("typ", Value::Null),
        ] {
            let token = self.under(&json!({ "alg": "RS256", "kid": kid, name: value }).to_string());
            self.add(format!("{name} {value}"), token);
        }
    }

    fn keys(&mut self) {
        let kid = self.issuer.key().id().to_owned();
        let jwk = self.issuer.key().jwk();
        let modulus = URL_SAFE_NO_PAD
            .decode(jwk["n"].as_str().expect("n"))
            .expect("base64url");
        let secrets = [
            ("modulus", modulus),
            ("modulus as text", jwk["n"].as_str().expect("n").as_bytes().to_vec()),
            ("JWK", jwk.to_string().into_bytes()),
            ("empty key", Vec::new()),
        ];
        for (what, secret) in secrets {
            for (alg, digest) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
                let message = self.unsigned(&json!({ "alg": alg, "kid": kid }));
                let tag = hmac::sign(&hmac::Key::new(digest, &secret), message.as_bytes());
                let signature = URL_SAFE_NO_PAD.encode(tag.as_ref());
                self.add(
                    format!("{alg} with the {what} as the secret"),
                    format!("{message}.{signature}"),
                );
            }
        }
        for kid in [
            json!(""),
            json!("../../../../dev/null"),
            json!("' or 1=1 --"),
            json!("unknown"),
            json!(kid.to_uppercase()),
            json!(format!("{kid}\u{0}")),
            json!([kid]),
            json!({ "kid": kid }),
            json!(0),
            Value::Null,
        ] {
            let token = self.under(&json!({ "alg": "RS256", "kid": kid }).to_string());
            self.add(format!("kid {kid}"), token);
        }
        let token = self.under(r#"{"alg":"RS256"}"#);
        self.add("no kid", token);
        let other = Key::make().expect("a key");
        let claims = self.but(&json!({})).to_string();
        let header = json!({ "alg": "RS256", "kid": kid });
        let token = other
            .sign("RS256", &header.to_string(), claims.as_bytes())
            .expect("a signature");
        self.add("another key under the right id", token);
        let header = json!({ "alg": "RS256", "kid": kid, "jwk": other.jwk() });
        let token = other
            .sign("RS256", &header.to_string(), claims.as_bytes())
            .expect("a signature");
        self.add("a key that the token brings along", token);
        let header = json!({ "alg": "RS256", "kid": other.id() });
        let token = other
            .sign("RS256", &header.to_string(), claims.as_bytes())
            .expect("a signature");
        self.add("another key under its own id", token);
    }

    fn repeated_names(&mut self) {
        let kid = self.issuer.key().id().to_owned();
        for header in [
            format!(r#"{{"alg":"RS256","alg":"RS256","kid":"{kid}"}}"#),
            format!(r#"{{"alg":"RS256","kid":"{kid}","kid":"other"}}"#),
            format!(r#"{{"alg":"RS256","kid":"{kid}","a":{{"b":1,"b":2}}}}"#),
        ] {
            let token = self.under(&header);
            self.add(format!("header {header}"), token);
        }
        let claims = self.but(&json!({})).to_string();
        let rest = &claims[1..];
        for payload in [
            format!(r#"{{"exp":9999999999,{rest}"#),
            format!(r#"{{"scope":"ryggrad:admin.write",{rest}"#),
            format!(r#"{{"\u0069ss":"http://elsewhere.example/",{rest}"#),
            format!(r#"{{"unheard_of":1,"unheard_of":1,{rest}"#),
            claims.replacen(r#""consumer":{"#, r#""consumer":{"ID":"0192:310028843","#, 1),
        ] {
            let header = json!({ "alg": "RS256", "kid": kid }).to_string();
            let token = self
                .issuer
                .key()
                .sign("RS256", &header, payload.as_bytes())
                .expect("a signature");
            self.add(format!("payload {payload:.60}"), token);
        }
    }

    fn shapes(&mut self) {
        let good = self.good();
        let parts: Vec<&str> = good.split('.').collect();
        let (header, payload, signature) = (parts[0], parts[1], parts[2]);
        let changed = base64url(&self.but(&json!({ "scope": "ryggrad:admin.write" })).to_string());
        let standard = STANDARD.encode(URL_SAFE_NO_PAD.decode(signature).expect("base64url"));
        for (name, token) in [
            ("a changed payload", format!("{header}.{changed}.{signature}")),
            ("no signature", format!("{header}.{payload}.")),
            ("no signature and no dot", format!("{header}.{payload}")),
            ("half a signature", format!("{header}.{payload}.{}", &signature[..100])),
            ("something after the signature", format!("{good}AAAA")),
            ("a part more", format!("{good}.AAAA")),
            (
                "five parts, as an encrypted token has",
                format!("{header}.{payload}.{signature}.AAAA.AAAA"),
            ),
            ("a dot more", format!("{good}.")),
            ("a dot before", format!(".{good}")),
            ("padding", format!("{good}==")),
            ("the other base64", format!("{header}.{payload}.{standard}")),
            ("a space in it", format!("{header}. {payload}.{signature}")),
            (
                "a header that is no JSON",
                format!("{}.{payload}.{signature}", base64url("RS256")),
            ),
            (
                "a header that is a list",
                format!("{}.{payload}.{signature}", base64url("[]")),
            ),
            ("an empty header", format!(".{payload}.{signature}")),
            ("dots", "..".to_owned()),
            ("a word", "nonsense".to_owned()),
            ("more than 16 KiB", format!("{good}{}", "A".repeat(16 * 1024))),
        ] {
            self.add(name, token);
        }
        let kid = self.issuer.key().id().to_owned();
        for payload in ["", "[]", "\"exp\"", "null", "{}", "{\"exp\":", "\u{feff}{}"] {
            let header = json!({ "alg": "RS256", "kid": kid }).to_string();
            let token = self
                .issuer
                .key()
                .sign("RS256", &header, payload.as_bytes())
                .expect("a signature");
            self.add(format!("the payload {payload:?}"), token);
        }
    }

    fn dates(&mut self) {
        let seconds = now().as_second();
        for (name, value) in [
            ("exp", Value::Null),
            ("exp", json!((seconds + 600).to_string())),
            ("exp", json!(seconds - 11)),
            ("exp", json!(0)),
            ("exp", json!(-1)),
            ("exp", json!(1e300)),
            ("exp", json!([seconds + 600])),
            ("exp", json!(true)),
            ("nbf", json!(seconds + 600)),
            ("nbf", json!((seconds - 600).to_string())),
            ("iat", json!(seconds + 600)),
            ("iat", json!("now")),
        ] {
            self.with(name, &value);
        }
    }

    fn claims(&mut self) {
        let iss = self.issuer.name().to_owned();
        let organisation = |id: &str| json!({ "authority": "iso6523-actorid-upis", "ID": id });
        let user = json!({
            "type": "urn:altinn:systemuser",
            "systemuser_id": ["1"],
            "systemuser_org": organisation("0192:310028843"),
        });
        let mut two_ids = user.clone();
        two_ids["systemuser_id"] = json!(["1", "2"]);
        let mut no_id = user.clone();
        no_id["systemuser_id"] = json!([]);
        let mut nobodys = user.clone();
        nobodys["systemuser_org"] = json!("0192:310028843");
        for (name, value) in [
            ("iss", Value::Null),
            ("iss", json!("https://maskinporten.no/")),
            ("iss", json!(iss.trim_end_matches('/'))),
            ("iss", json!(format!("{iss}x"))),
            ("iss", json!([iss])),
            ("aud", json!("https://elsewhere.example")),
            ("aud", json!(["https://elsewhere.example", "unspecified"])),
            ("aud", json!(5)),
            ("aud", json!("")),
            ("consumer", Value::Null),
            ("consumer", json!("0192:399000203")),
            ("consumer", organisation("399000203")),
            ("consumer", organisation("0192:399000204")),
            ("consumer", organisation("9908:399000203")),
            ("consumer", json!({ "authority": "elsewhere", "ID": "0192:399000203" })),
            (
                "consumer",
                json!({ "authority": "iso6523-actorid-upis", "id": "0192:399000203" }),
            ),
            ("supplier", organisation("0192:399001218")),
            ("delegation_source", json!("https://www.altinn.no")),
            ("token_type", json!("DPoP")),
            ("cnf", json!({ "jkt": "x" })),
            ("scope", json!(["ryggrad:views.read"])),
            ("authorization_details", json!({})),
            ("authorization_details", json!([user, user])),
            ("authorization_details", json!([two_ids])),
            ("authorization_details", json!([no_id])),
            ("authorization_details", json!([nobodys])),
        ] {
            self.with(name, &value);
        }
        let claims = self.but(&json!({
            "supplier": organisation("0192:399001218"),
            "delegation_source": "https://elsewhere.example",
        }));
        let token = self.issuer.sign(&claims).expect("a signature");
        self.add("a delegation that is kept elsewhere", token);
        let mut claims = self.but(&json!({}));
        claims["nbf"] = Value::Null;
        let token = self.issuer.sign(&claims).expect("a signature");
        self.add("nbf null", token);
    }

    /// A good token but for one claim.
    fn with(&mut self, name: &str, value: &Value) {
        let told = format!("{name} {value}");
        let token = self
            .issuer
            .sign(&self.but(&json!({ name: value })))
            .expect("a signature");
        self.add(told, token);
    }

    fn requests(&mut self) {
        let good = format!("Bearer {}", self.good());
        let bare = self.good();
        for (name, values) in [
            ("two good tokens", vec![good.clone(), good.clone()]),
            ("a good one and a bad one", vec![good.clone(), "Bearer x".to_owned()]),
            ("two in one", vec![format!("{good}, {good}")]),
            ("no token", vec!["Bearer".to_owned()]),
            ("no scheme", vec![bare.clone()]),
            ("a password", vec!["Basic Zm9vOmJhcg==".to_owned()]),
            ("the scheme of another kind of token", vec![format!("DPoP {bare}")]),
            ("something after it", vec![format!("{good} x")]),
        ] {
            self.rows.push((name.to_owned(), values));
        }
    }
}
