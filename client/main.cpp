#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <clocale>
#include <exception>
#include <iostream>

#include "client/app.hpp"

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    try {
        reeve::client::Invocation invocation;
        const auto app = reeve::client::make_app(invocation);
        const int known = reeve::client::read_line(*app, {argv + std::min(argc, 1), argv + argc}, invocation);
        return known >= 0 ? known : invocation.action();
    } catch (const std::exception& failure) {
        // Memory that is not to be had, and bugs: said, and no core dump of what passed through.
        std::cerr << "reeve: cannot go on: " << failure.what() << '\n';
        return reeve::client::kNo;
    }
}
