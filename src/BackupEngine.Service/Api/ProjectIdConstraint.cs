using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace BackupEngine.Service.Api;

/// <summary>Tells a project's id in an address from the name of a collection.</summary>
internal sealed class ProjectIdConstraint : IRouteConstraint
{
    public const string Name = "project";

    private static readonly SearchValues<char> _characters = SearchValues.Create("0123456789abcdef-");

    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values.TryGetValue(routeKey, out object? value) && value is string { Length: > 0 } id && !id.AsSpan().ContainsAnyExcept(_characters);
}
