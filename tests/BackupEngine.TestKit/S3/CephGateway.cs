using System.Diagnostics;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.TestKit.S3;

/// <summary>A Ceph gateway of this process's own, run by <c>tests/s3/ceph-rgw</c>, which ends it when this process is gone.</summary>
internal static class CephGateway
{
    public static async Task<(S3Server? Server, string Lacking)> TryStartAsync()
    {
        if (!OperatingSystem.IsLinux())
            return (null, "Ceph runs on Linux only");
        if (FindScript() is not { } script)
            return (null, "tests/s3/ceph-rgw is in no parent directory of the tests");
        if (new[] { "bash", "curl", "radosgw", "ceph-mon", "ceph-osd", "ceph" }.FirstOrDefault(command => SystemCommands.Find(command) is null) is { } missing)
            return (null, $"Ceph is not installed, '{missing}' is missing");

        string directory = Directory.CreateTempSubdirectory("rgw").FullName;
        (int exitCode, string output, string errors) = await RunAsync(script, "start", directory);
        if (exitCode != 0)
        {
            Directory.Delete(directory, recursive: true);
            return (null, errors.Trim().ReplaceLineEndings(" "));
        }

        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop(script, directory);
        Dictionary<string, string> settings = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => parts[1]);
        return (new S3Server(new Uri(settings["S3_ENDPOINT"]), settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"]), "");
    }

    private static string? FindScript()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string script = Path.Join(directory.FullName, "tests", "s3", "ceph-rgw");
            if (File.Exists(script))
                return script;
        }

        return null;
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string script, params string[] arguments)
    {
        using Process process = Start(script, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    private static void Stop(string script, string directory)
    {
        using Process process = Start(script, ["stop", directory]);
        process.WaitForExit();
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    private static Process Start(string script, string[] arguments)
    {
        ProcessStartInfo start = new("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(script);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["OWNER_PID"] = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }
}
