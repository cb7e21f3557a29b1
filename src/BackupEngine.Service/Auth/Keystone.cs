using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BackupEngine.Service.Api;

namespace BackupEngine.Service.Auth;

/// <summary>Asks OpenStack's identity service about tokens: every token may ask about itself, so the service needs no account of its own.</summary>
internal sealed class Keystone(HttpClient http, KeystoneOptions options, TimeProvider time) : IAuthenticator
{
    private const int MaxCachedTokens = 10_000;

    private readonly ConcurrentDictionary<string, CachedCaller> _cache = new();
    private readonly Uri _tokens = new(options.Url!.TrimEnd('/') + (options.Url.TrimEnd('/').EndsWith("/v3", StringComparison.Ordinal) ? "/auth/tokens" : "/v3/auth/tokens"));

    public async ValueTask<Caller?> AuthenticateAsync(string? token, string? urlProject, CancellationToken cancellationToken)
    {
        // Header values with other characters cannot be tokens, and would not survive being sent on.
        if (string.IsNullOrEmpty(token) || token.Any(character => character is <= ' ' or > '~'))
        {
            return null;
        }

        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        DateTimeOffset now = time.GetUtcNow();
        if (_cache.TryGetValue(key, out CachedCaller cached) && cached.Until > now)
        {
            return cached.Caller;
        }

        CachedCaller answer = await AskAsync(token, now, cancellationToken);
        if (_cache.Count >= MaxCachedTokens)
        {
            _cache.Clear();
        }

        _cache[key] = answer;
        return answer.Caller;
    }

    private async Task<CachedCaller> AskAsync(string token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, _tokens);
        request.Headers.Add("X-Auth-Token", token);
        request.Headers.Add("X-Subject-Token", token);
        try
        {
            using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
            DateTimeOffset until = now.AddSeconds(options.CacheSeconds);
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
            {
                return new(null, until);
            }

            response.EnsureSuccessStatusCode();
            await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using JsonDocument document = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return Read(document.RootElement.GetProperty("token"), now, until);
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw ApiFault.Unavailable("The identity service does not answer.");
        }
    }

    private CachedCaller Read(JsonElement token, DateTimeOffset now, DateTimeOffset until)
    {
        DateTimeOffset expires = token.GetProperty("expires_at").GetDateTimeOffset();
        if (expires <= now || !token.TryGetProperty("project", out JsonElement project))
        {
            return new(null, until);
        }

        bool isAdmin = token.TryGetProperty("roles", out JsonElement roles)
            && roles.EnumerateArray().Any(role => options.AdminRoles.Contains(role.GetProperty("name").GetString(), StringComparer.OrdinalIgnoreCase));
        Caller caller = new(token.GetProperty("user").GetProperty("id").GetString()!, project.GetProperty("id").GetString()!, isAdmin, isAdmin);
        return new(caller, expires < until ? expires : until);
    }

    private readonly record struct CachedCaller(Caller? Caller, DateTimeOffset Until);
}
