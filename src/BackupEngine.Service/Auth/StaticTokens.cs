using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;

namespace BackupEngine.Service.Auth;

/// <summary>Knows the tokens of the configuration. Looked up by their digests, so that time tells nothing about a token.</summary>
internal sealed class StaticTokens(IEnumerable<StaticTokenOptions> tokens) : IAuthenticator
{
    private readonly FrozenDictionary<string, Caller> _callers = tokens.ToFrozenDictionary(
        token => token.TokenSha256?.ToUpperInvariant() ?? Digest(token.Token!),
        token => new Caller(token.User, token.Project, token.Admin, token.Admin));

    public ValueTask<Caller?> AuthenticateAsync(string? token, string? urlProject, CancellationToken cancellationToken) =>
        new(token is null ? null : _callers.GetValueOrDefault(Digest(token)));

    private static string Digest(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
