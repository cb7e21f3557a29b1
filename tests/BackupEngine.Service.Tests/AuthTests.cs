using System.Net;
using System.Text;
using BackupEngine.Service.Api;
using BackupEngine.Service.Auth;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Service.Tests;

/// <summary>Who a token belongs to.</summary>
public sealed class AuthTests
{
    private const string Project = ServiceUnderTest.Project;

    [Theory]
    [InlineData("u:p", null, "u", "p")]
    [InlineData("u:p", "q", "u", "p")]
    [InlineData("notused", "q", "notused", "q")]
    [InlineData("notused", null, "notused", "notused")]
    [InlineData("u:", "q", "u", "q")]
    public async Task Without_authentication_a_token_says_who_one_is(string token, string? urlProject, string user, string project)
    {
        Caller? caller = await new NoAuth().AuthenticateAsync(token, urlProject, ServiceUnderTest.Cancel);
        Assert.Equal(new Caller(user, project, IsAdmin: true, CrossesProjects: false), caller);
    }

    [Fact]
    public async Task Keystone_is_asked_once_and_its_roles_are_believed()
    {
        FakeKeystone keystone = new(HttpStatusCode.OK, Token("admin", "2099-01-01T00:00:00.000000Z"));
        using HttpClient http = new(keystone);
        Keystone authenticator = new(http, new() { Url = "http://keystone:5000" }, TimeProvider.System);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(new Caller("u1", Project, true, true), await authenticator.AuthenticateAsync("token", Project, ServiceUnderTest.Cancel));
        }

        Assert.Equal(1, keystone.Asked);
        Assert.Equal("http://keystone:5000/v3/auth/tokens", keystone.Address);
    }

    [Theory]
    [InlineData("member", "2099-01-01T00:00:00.000000Z", true, false)]
    [InlineData("admin", "2001-01-01T00:00:00.000000Z", false, false)]
    public async Task Members_are_no_administrators_and_expired_tokens_nobodys(string role, string expires, bool isKnown, bool isAdmin)
    {
        using HttpClient http = new(new FakeKeystone(HttpStatusCode.OK, Token(role, expires)));
        Caller? caller = await new Keystone(http, new() { Url = "http://keystone/v3" }, TimeProvider.System).AuthenticateAsync("token", null, ServiceUnderTest.Cancel);
        Assert.Equal(isKnown, caller is not null);
        Assert.Equal(isAdmin, caller?.IsAdmin ?? false);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Unauthorized)]
    public async Task A_token_that_Keystone_does_not_know_is_nobodys(HttpStatusCode status)
    {
        using HttpClient http = new(new FakeKeystone(status, ""));
        Assert.Null(await new Keystone(http, new() { Url = "http://keystone/v3" }, TimeProvider.System).AuthenticateAsync("token", null, ServiceUnderTest.Cancel));
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "")]
    [InlineData(HttpStatusCode.OK, "no json")]
    [InlineData(HttpStatusCode.OK, "{}")]
    public async Task A_Keystone_that_does_not_answer_well_lets_nobody_in(HttpStatusCode status, string body)
    {
        using HttpClient http = new(new FakeKeystone(status, body));
        ApiFault fault = await Assert.ThrowsAsync<ApiFault>(
            async () => await new Keystone(http, new() { Url = "http://keystone/v3" }, TimeProvider.System).AuthenticateAsync("token", null, ServiceUnderTest.Cancel));
        Assert.Equal(503, fault.Status);
    }

    [Fact]
    public async Task A_token_with_line_ends_is_not_sent_on()
    {
        FakeKeystone keystone = new(HttpStatusCode.OK, Token("admin", "2099-01-01T00:00:00.000000Z"));
        using HttpClient http = new(keystone);
        Assert.Null(await new Keystone(http, new() { Url = "http://keystone/v3" }, TimeProvider.System).AuthenticateAsync("a\r\nX-Evil: 1", null, ServiceUnderTest.Cancel));
        Assert.Equal(0, keystone.Asked);
    }

    [LongRunning]
    [Theory]
    [InlineData("volume 3.999", 406, "Version 3.999 is not supported by the API. Minimum is 3.0 and maximum is 3.70.")]
    [InlineData("volume 2.0", 406, "Version 2.0 is not supported by the API. Minimum is 3.0 and maximum is 3.70.")]
    [InlineData("volume 3", 400, "API Version String 3 is of invalid format. Must be of format MajorNum.MinorNum.")]
    [InlineData("volume 3.0.1", 400, "API Version String 3.0.1 is of invalid format. Must be of format MajorNum.MinorNum.")]
    public async Task Versions_that_there_are_not_are_refused(string header, int status, string message)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Answer answer = await service.GetAsync($"/v3/{Project}/backups", header);
        Assert.Equal((status, message), (answer.Status, answer.Message));
    }

    [LongRunning]
    [Theory]
    [InlineData("compute 2.1, volume 3.45", "volume 3.45")]
    [InlineData("compute 2.1", "volume 3.0")]
    [InlineData("volume latest", "volume 3.70")]
    public async Task The_version_is_found_among_those_of_other_services(string header, string answered)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Assert.Equal(answered, (await service.GetAsync($"/v3/{Project}/backups", header)).Headers["openstack-api-version"]);
    }

    [Fact]
    public async Task Both_versions_are_found_without_a_token()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Answer answer = await service.GetAsync("/", token: null);
        Assert.Equal(300, answer.Status);
        Assert.Equal(["v2.0", "v3.0"], answer.Json["versions"]!.AsArray().Select(version => (string?)version!["id"]));
        foreach (string path in new[] { "/v3", "/v3/", "/v2", "/v2/" })
        {
            answer = await service.GetAsync(path, token: null);
            Assert.Equal(200, answer.Status);
            Assert.Equal(path.StartsWith("/v3", StringComparison.Ordinal), answer.Headers.ContainsKey("openstack-api-version"));
        }

        Assert.Equal(404, (await service.GetAsync("/v9", token: null)).Status);
        Assert.Equal(404, (await service.GetAsync("/nosuch", token: null)).Status);
    }

    private static string Token(string role, string expires) => $$$"""
        {"token": {"expires_at": "{{{expires}}}", "user": {"id": "u1"}, "project": {"id": "{{{Project}}}"}, "roles": [{"name": "reader"}, {"name": "{{{role}}}"}]}}
        """;

    private sealed class FakeKeystone(HttpStatusCode status, string body) : HttpMessageHandler
    {
        public int Asked { get; private set; }

        public string? Address { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked++;
            Address = request.RequestUri!.ToString();
            Assert.Equal("token", request.Headers.GetValues("X-Subject-Token").Single());
            return Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
        }
    }
}
