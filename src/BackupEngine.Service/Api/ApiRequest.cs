using BackupEngine.Service.Auth;
using Microsoft.AspNetCore.Http;

namespace BackupEngine.Service.Api;

/// <summary>What the API's parts need to know of a request: its version, its caller, and how links back are written.</summary>
internal sealed class ApiRequest(HttpContext http, Caller caller, ApiVersion version, int major, string? urlProject)
{
    public HttpContext Http { get; } = http;

    public Caller Caller { get; } = caller;

    public ApiVersion Version { get; } = version;

    public bool IsV2 => major == 2;

    /// <summary>What the caller calls this server: scheme and host.</summary>
    public string Base { get; } = BaseOf(http.Request);

    /// <summary>Address of a resource or collection as clients reach it.</summary>
    public string Self(string path) => urlProject is null ? $"{Base}/v{major}/{path}" : $"{Base}/v{major}/{urlProject}/{path}";

    /// <summary>The permanent address, without a version.</summary>
    public string Bookmark(string path) => urlProject is null ? $"{Base}/{path}" : $"{Base}/{urlProject}/{path}";

    /// <summary>Refuses those who are not administrators.</summary>
    public void RequireAdmin(string rule)
    {
        if (!Caller.IsAdmin)
        {
            throw ApiFault.Forbidden(rule);
        }
    }

    /// <summary>Lets route handlers take the request as a parameter.</summary>
    public static ValueTask<ApiRequest?> BindAsync(HttpContext context) => new(context.Features.Get<ApiRequest>());

    public static string BaseOf(HttpRequest request)
    {
        string scheme = request.Headers["X-Forwarded-Proto"] == "https" ? "https" : request.Scheme;
        string host = First(request.Headers["X-Forwarded-Host"]) ?? (request.Host.HasValue ? request.Host.Value : "localhost");
        return $"{scheme}://{host}";
    }

    private static string? First(string? header) =>
        header?.Split(',', 2)[0].Trim() is { Length: > 0 } first && Uri.TryCreate("http://" + first, UriKind.Absolute, out _) ? first : null;
}
