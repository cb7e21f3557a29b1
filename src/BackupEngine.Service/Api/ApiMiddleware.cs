using System.Text.RegularExpressions;
using BackupEngine.Service.Auth;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service.Api;

/// <summary>What every request goes through: request id, version, authentication, and errors in the API's shape.</summary>
internal sealed partial class ApiMiddleware(RequestDelegate next, IAuthenticator authenticator, BackupServiceOptions options, ILogger<ApiMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        string requestId = $"req-{Guid.NewGuid()}";
        http.Response.Headers["x-openstack-request-id"] = requestId;
        http.Response.Headers["x-compute-request-id"] = requestId;
        try
        {
            await AnswerAsync(http);
        }
        catch (ApiFault fault) when (!http.Response.HasStarted)
        {
            await ApiJson.WriteFaultAsync(http, fault);
        }
        catch (BadHttpRequestException bad) when (!http.Response.HasStarted)
        {
            await ApiJson.WriteFaultAsync(http, bad.StatusCode == 413 ? ApiFault.OverLimit("Request is too large.") : ApiFault.MalformedBody());
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer to.
        }
        catch (Exception exception) when (!http.Response.HasStarted)
        {
            LogFailed(exception, requestId, http.Request.Method, http.Request.Path);
            await ApiJson.WriteFaultAsync(http, new(500, "computeFault", "The server has either erred or is incapable of performing the requested operation."));
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        Match match = VersionedPath().Match(http.Request.Path.Value ?? "");
        bool isKnown = http.GetEndpoint() is RouteEndpoint;
        if (!match.Success || http.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null)
        {
            if (!isKnown)
            {
                throw ApiFault.NoRoute();
            }

            if (!match.Success || match.Groups[1].ValueSpan is "3")
            {
                ShowVersion(http, ApiVersion.Min);
            }

            await next(http);
            return;
        }

        int major = match.Groups[1].ValueSpan[0] - '0';
        ApiVersion version = major == 3 ? ApiVersion.Negotiate(http.Request.Headers[ApiVersion.Header]) : ApiVersion.Min;
        string? urlProject = http.Request.RouteValues.TryGetValue("project", out object? value) ? (string?)value : null;
        string? token = TokenOf(http.Request);
        Caller? caller = await authenticator.AuthenticateAsync(token, urlProject, http.RequestAborted);
        if (caller is null && token is null && options.Auth == AuthMode.NoAuth)
        {
            http.Response.StatusCode = 204;
            return;
        }

        if (caller is null)
        {
            http.Response.Headers.WWWAuthenticate = options.Auth == AuthMode.Keystone ? $"Keystone uri=\"{options.Keystone.Url}\"" : "Bearer";
            throw ApiFault.Unauthorized();
        }

        if (!isKnown)
        {
            throw ApiFault.NoRoute();
        }

        if (major == 3)
        {
            ShowVersion(http, version);
        }

        if (urlProject is not null && urlProject != caller.ProjectId)
        {
            throw ApiFault.BadRequest("Malformed request url");
        }

        http.Features.Set(new ApiRequest(http, caller, version, major, urlProject));
        await next(http);
    }

    private static void ShowVersion(HttpContext http, ApiVersion version)
    {
        http.Response.Headers[ApiVersion.Header] = $"volume {version}";
        http.Response.Headers.Vary = ApiVersion.Header;
    }

    private static string? TokenOf(HttpRequest request)
    {
        if (request.Headers.TryGetValue("X-Auth-Token", out var token) && token.Count == 1 && token[0]!.Length > 0)
        {
            return token[0];
        }

        string? authorization = request.Headers.Authorization;
        return authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true ? authorization["Bearer ".Length..].Trim() : null;
    }

    [LoggerMessage(1001, LogLevel.Error, "Request {RequestId} failed: {Method} {Path}")]
    private partial void LogFailed(Exception exception, string requestId, string method, string path);

    [GeneratedRegex(@"^/v([123])(/|\z)", RegexOptions.CultureInvariant)]
    private static partial Regex VersionedPath();
}
